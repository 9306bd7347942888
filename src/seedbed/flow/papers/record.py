"""Puts what a run came to know into `run.json`, and everything else into the run's folder."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from seedbed.core.context import Context
from seedbed.core.ledger import LEDGER_SCHEMA
from seedbed.core.run import DatasetRecord, Run, StepRecord
from seedbed.core.version import __version__
from seedbed.engine.curate import Curated, lock_of
from seedbed.flow.known import Clock, Known
from seedbed.flow.preparing.notices import notices_of, unread
from seedbed.flow.preparing.papers import write_learned
from seedbed.flow.profiling.datasets import write_profile
from seedbed.flow.quick_look import said_of
from seedbed.publish.papers import write_papers
from seedbed.recipe.loading import Loaded, dump
from seedbed.recipe.recipe import Recipe

from .notices import notices, notices_of_groups
from .place import write_record
from .register import read_before
from .sources import files_beside, licences_record, lineage_of, source_records
from .waivers import waivers_used

_VERSIONS = ("polars", "pyarrow", "numpy", "duckdb", "ftfy", "scikit-learn", "scipy")
_CELLS = "percentile bootstrap over confusion cells; exact at the end where no mistake, or no hit, shows"
_NO_DATASET = DatasetRecord(digest="", splits={}, columns=(), labels={}, labels_before={}, lengths=None)


def assemble(loaded: Loaded, known: Known, clock: Clock, context: Context, command: str) -> Run:
    """The record of a run."""
    curated, recipe, judged = known.curated, loaded.recipe, known.judged
    settled = recipe.model_copy(update={"task": known.task})
    stamp = clock.started.replace("-", "").replace(":", "").replace("T", "-")[:15]
    records = source_records(curated)
    return Run(
        seedbed=__version__,
        name=recipe.name,
        id=f"{stamp}-{curated.key[:6]}-{secrets.token_hex(2)}",
        state="failed" if known.stopped_by else "passed",
        stopped_by=tuple(known.stopped_by),
        started=clock.started,
        seconds=clock.total,
        task=known.task.model_dump(mode="json"),
        seed=context.seed,
        limit=known.limit,
        offline=context.offline,
        refreshed=context.refresh,
        sources=records,
        licences=licences_record(known.licences) if known.licences else None,
        rows=curated.books,
        steps=tuple(StepRecord(**vars(count)) for count in curated.parts),
        dataset=known.dataset or _NO_DATASET,
        certificate=known.split.certificate if known.split else None,
        findings=tuple(known.findings),
        notices=tuple(_notices(recipe, known)),
        models=judged.models if judged else (),
        metric=recipe.evaluate.metrics[0],
        best=judged.best if judged else None,
        nested=judged.nested if judged else None,
        comparisons=judged.comparisons if judged else (),
        effects=known.effects,
        learning_curve=known.learning_curve,
        scrutiny=known.scrutiny,
        leakage=known.leakage,
        ablation=known.ablation,
        gates=tuple(known.gates),
        blanks=known.blanks,
        waivers=tuple(waivers_used(recipe, known, records)),
        sent=known.sent,
        test_reads=tuple(context.test_reads),
        test_reads_before=read_before(known.dataset, context),
        intervals=_intervals(recipe, known),
        timings=dict(clock.seconds),
        recipe_text=dump(settled),
        command=command,
        versions={"python": platform.python_version(), **_versions()},
    )


def _notices(recipe: Recipe, known: Known) -> Iterator[str]:
    """What a reader should know before the scores."""
    judged = known.judged
    if known.limit:
        yield said_of(known.limit)
    yield from notices_of(recipe.prepare, recipe.train if judged else ())
    if judged and judged.models:
        yield from _unread(recipe, known)
    certificate = known.split.certificate if known.split else None
    yield from notices(known.task.names, known.dataset, certificate, trained=judged is not None)
    yield from notices_of_groups(judged.groups if judged else {})
    yield from known.curated.remarks


def _unread(recipe: Recipe, known: Known) -> Iterator[str]:
    """Columns that `prepare` wrote for nobody."""
    if known.unprepared:
        before, after = known.unprepared.curated.table.schema, known.curated.table.schema
        yield from unread(known.task, recipe.prepare, known.learned, before, after)


def _intervals(recipe: Recipe, known: Known) -> dict[str, object]:
    """How intervals were made; those of metrics of probabilities cost more."""
    asked, draws = recipe.evaluate.intervals, known.judged.draws if known.judged else None
    told: dict[str, object] = {
        "level": asked.level,
        "resamples": asked.resamples,
        "method": _CELLS if known.task.says == "label" else "percentile bootstrap over rows",
    }
    if known.judged and known.judged.groups and known.dataset:
        told |= _of_groups(known.judged.groups, known.dataset.splits)
    if draws:
        over = "groups" if "groups" in told else "rows"
        told["probability_method"] = f"percentile bootstrap over {over}; reflected for expected_calibration_error"
        told["probability_resamples"] = draws
    return told


def _of_groups(groups: Mapping[str, int], rows: Mapping[str, int]) -> dict[str, object]:
    """What is resampled where rows that belong together are no independent draws; the rows, if they are one group."""
    each = [f"{found:,} groups of {rows[split]:,} {split} rows" for split, found in groups.items() if found > 1]
    method = {"method": f"percentile bootstrap over {' and '.join(each)}"} if each else {}
    return {**method, "groups": dict(groups)}


def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_folder(folder: Path, loaded: Loaded, known: Known, run: Run) -> None:
    """Write the run's folder: records, ledger, lineage, papers."""
    curated = known.curated
    (folder / "recipe.yaml").write_text(run.recipe_text, "utf-8")
    lock = {
        "seedbed": run.seedbed,
        "versions": run.versions,
        "inputs": lock_of(curated),
        "files": files_beside(loaded.recipe, loaded.base, judged=bool(run.models)),
        "dataset": run.dataset.digest,
    }
    _write_json(folder / "recipe.lock", lock)
    _write_ledger(curated, folder / "ledger")
    write_learned(folder, known.learned)
    if run.certificate:
        _write_json(folder / "certificate.json", run.certificate.model_dump(mode="json"))
    if known.profile:
        write_profile(folder, known.profile)
    _write_json(folder / "lineage.json", _lineage(loaded, curated, run))
    if run.dataset.splits:
        write_papers(folder / "dataset", run, known.answers, known.profile)
    write_record(folder, run)


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _write_ledger(curated: Curated, folder: Path) -> None:
    """A file a pass; rows are in order within each."""
    folder.mkdir()
    for place, shards in enumerate(curated.ledger):
        rows = pl.scan_parquet(list(shards), glob=False).select(list(LEDGER_SCHEMA))
        rows.sink_parquet(folder / f"pass-{place}.parquet", compression="zstd")


def _lineage(loaded: Loaded, curated: Curated, run: Run) -> dict[str, object]:
    scans = [*(one.scan for one in curated.opened), *(second.scan for _, second in curated.seconds)]
    return {
        "sources": [lineage_of(record, scan) for record, scan in zip(run.sources, scans, strict=True)],
        "files": files_beside(loaded.recipe, loaded.base, judged=bool(run.models)),
        "steps": [step.part for step in run.steps],
        "dataset": {"digest": run.dataset.digest, "splits": run.dataset.splits},
        "models": [{"name": model.name, "trained_on": run.dataset.digest} for model in run.models],
        "row_ids": "SOURCE:FILE#RECORD names the source, its file and the record within it, from 1; where the file was "
        "fetched, its `origin` says from where, when and how",
    }
