"""What a run says of its sources: who collected them, under which licence, when they were fetched and from where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seedbed.core import digest
from seedbed.core.check import Finding
from seedbed.core.licences import Mixed, Stated
from seedbed.core.numbers import things
from seedbed.core.part import labels_of
from seedbed.core.run import Credit, FetchedRecord, LicencesRecord, SourceRecord
from seedbed.core.source import Origin, Scan, Source
from seedbed.core.step import Beside, Map, Second
from seedbed.engine.curate import Curated
from seedbed.recipe.recipe import Recipe

#: Names that `run.json` lists of hosts, decisions and refused addresses; `lineage.json` has all.
MOST = 20
#: What a person should say of a source, in order.
PAPERS = ("license", "terms", "collected_by", "consent")
#: The check's name of the finding that lists what nobody said, and of that about licences that do not go together.
MISSING, UNFIT = "papers", "licences"
_SHOWN = 4


def source_records(curated: Curated) -> tuple[SourceRecord, ...]:
    """The sources as they were read, then those that steps read besides."""
    counts = curated.facts.get("sources", {})
    remarks = curated.facts.get("remarks", {})
    first = (
        _record(
            one.name,
            one.source,
            one.scan,
            rows=counts.get(one.name, {}).get("rows", 0),
            malformed=counts.get(one.name, {}).get("malformed", 0),
            notes=(
                *one.notes,
                *(f"{things(n, 'row')}: {text}" for text, n in sorted(remarks.get(one.name, {}).items())),
            ),
        )
        for one in curated.opened
    )
    return (*first, *(_second(name, second) for name, second in curated.seconds))


def _second(step: str, second: Second) -> SourceRecord:
    """A source that a step read: it goes by the step's name."""
    notes = (f"is read by the step {step}; its rows are none of the run's", *second.notes)
    return _record(
        step, second.source, second.scan, rows=second.rows, malformed=second.malformed, notes=notes
    )  # fmt: skip


def _record(
    name: str, source: Source, scan: Scan, *, rows: int, malformed: int, notes: tuple[str, ...]
) -> SourceRecord:
    return SourceRecord(
        name=name,
        use=source.use,
        path=source.address,
        **{**{paper: getattr(source, paper) for paper in PAPERS}, "license": source.license or scan.license or None},
        files=len(scan.files),
        bytes=sum(file.size for file in scan.files),
        rows=rows,
        malformed=malformed,
        settings=scan.found,
        notes=notes,
        fetched=fetched(scan),
    )


def fetched(scan: Scan) -> FetchedRecord | None:
    """What a source fetched, counted; none where it read what was there."""
    origins = [file.origin for file in scan.files if file.origin]
    if not origins and not scan.fetching:
        return None
    facts, times = scan.fetching, sorted(origin.fetched for origin in origins)
    refused = list(refused_urls(facts))
    counted = facts.get("refused")
    return FetchedRecord(
        began=str(facts.get("began") or (times[0] if times else "")),
        ended=str(facts.get("ended") or (times[-1] if times else "")),
        requests=facts.get("requests"),
        responses=len(scan.files),
        bytes=sum(file.size for file in scan.files),
        hosts=_most(urlsplit(origin.url).netloc.rpartition("@")[2] for origin in origins),
        statuses=_most(str(origin.status) for origin in origins if origin.status is not None),
        robots=_most(origin.robots for origin in origins),
        refused=counted if isinstance(counted, int) else len(refused),
        refused_urls=tuple(refused[:MOST]),
    )


def refused_urls(facts: Mapping[str, Any]) -> Iterator[str]:
    """Addresses that were not fetched, of what a source tells about its fetching."""
    for key in ("refused_urls", "refused"):
        found = facts.get(key)
        for one in found if isinstance(found, list | tuple) else ():
            yield str(one.get("url", "")) if isinstance(one, Mapping) else str(one)


def _most(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(name for name in names if name).most_common(MOST))


# -- licences


def stated(recipe: Recipe, curated: Curated) -> list[Stated]:
    """The sources that rows or columns of the dataset come from, with the licences that they state.

    What a step only compares rows with (`decontaminate`) is not in the dataset; what it brings (`join`) is.
    """
    steps = dict(zip(labels_of(list(recipe.steps)), recipe.steps, strict=True))
    brought = [(name, two.source, two.scan) for name, two in curated.seconds if isinstance(steps.get(name), Map)]
    sources = [*((one.name, one.source, one.scan) for one in curated.opened), *brought]
    return [Stated(name, source.license or scan.license or None) for name, source, scan in sources]


def licences_record(found: Mixed) -> LicencesRecord:
    """As the run's record has it."""
    return LicencesRecord(
        under=found.under,
        commercial=found.commercial,
        credits=tuple(Credit(source=name, license=licence, url=url) for name, licence, url in found.credited),
        problems=found.problems,
    )


def findings_of(records: Sequence[SourceRecord], found: Mixed) -> Iterator[Finding]:
    """At most two: what nobody said of the sources, and licences that do not allow what is done here."""
    missing = {paper: [one.name for one in records if not getattr(one, paper)] for paper in PAPERS}
    missing = {paper: names for paper, names in missing.items() if names}
    if missing:
        told = "; ".join(f"{paper} of {_names(names, len(records))}" for paper, names in missing.items())
        count = sum(map(len, missing.values()))
        message = f"Not said in the recipe: {told}."
        yield Finding(check=MISSING, passed=False, value=count, limit=0, message=message)
    unfit = [one for one in found.problems if not one.endswith(" no licence")]
    if unfit:
        message = f"{'; '.join(unfit)}."
        yield Finding(check=UNFIT, passed=False, value=len(unfit), limit=0, message=message)


def _names(names: Sequence[str], of: int) -> str:
    if len(names) == of:
        return "the source" if of == 1 else f"all {of} sources"
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


# -- lineage


def lineage_of(record: SourceRecord, scan: Scan) -> dict[str, Any]:
    """A source with every file that it read; of fetched ones with where each came from, when and how."""
    return {
        "name": record.name,
        "use": record.use,
        "path": record.path,
        **{paper: getattr(record, paper) for paper in PAPERS},
        **({"fetching": dict(scan.fetching)} if scan.fetching else {}),
        "files": [
            {
                "name": file.name,
                "bytes": file.size,
                "sha256": file.sha256,
                **({"origin": told(file.origin)} if file.origin else {}),
            }
            for file in scan.files
        ],
    }


def files_beside(recipe: Recipe, base: Path, *, judged: bool) -> list[dict[str, Any]]:
    """The files that a run read besides sources: what people decided, what they answered, what they prefer.

    Args:
        recipe: The recipe.
        base: Its folder.
        judged: Whether the run came as far as to judge models.
    """
    named = zip(labels_of(list(recipe.steps)), recipe.steps, strict=True)
    found = [(name, file) for name, step in named for file in step.beside()]
    for option in ("people", "preferences"):
        file = getattr(recipe.evaluate, option)
        if judged and file is not None and (path := base / file).is_file():
            found.append((f"evaluate.{option}", Beside(file, path.stat().st_size, digest.of_file(path))))
    return [{"step": name, "file": file.name, "bytes": file.bytes, "sha256": file.sha256} for name, file in found]


def told(origin: Origin) -> dict[str, Any]:
    """An origin as JSON, without what is not known."""
    return {key: value for key, value in asdict(origin).items() if value not in ("", None, {})}
