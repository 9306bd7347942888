"""One row's whole story, from a run's folder: origin, changes, why it was rejected or kept, neighbours, predictions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.context import Progress
from seedbed.core.documents import open_document
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.ledger import LEDGER_SCHEMA
from seedbed.core.rows import ROW
from seedbed.flow.finished import Finished, open_run
from seedbed.flow.splitting.dataset import Dataset

from .relatives import Relating
from .reread import Reread, reread, same, shown
from .story import Change, Copy, Fate, Fetched, Origin, Prediction, Rejection, Relative, Story

#: Relatives of a rejected row that are followed, and rejected copies that are named.
_MOST_RELATIVES = 10
_MOST_COPIES = 5


def explain(folder: str | Path, row: str, *, progress: Progress | None = None, trust: bool = False) -> Story:
    """Tell one row's story.

    What the run's folder holds is enough. Where the sources are still what they were, the row is read again and the
    row-wise steps are done again, so that every change shows; else the changes are those that the ledger sampled.

    Args:
        folder: A run's folder.
        row: The row's id (`SOURCE:FILE#RECORD`); the record alone will do where the run read one file.
        progress: Where progress is shown.
        trust: Whether steps that are functions of whoever made the recipe (`python`) may run again.

    Raises:
        DataError: It is not the folder of a run, a copy of one without its ledger, or damaged.
        RecipeError: The run read no such row.
    """
    held = _Held(open_run(folder))
    if not all((held.folder / name).exists() for name in ("ledger", "recipe.lock", "recipe.yaml")):
        raise DataError(
            "this copy of a run holds no ledger",
            at=str(folder),
            hint="name the run's own folder, such as runs/NAME/latest",
        )
    with _damage_told(held.folder):
        return _story(held, row, progress=progress, trust=trust)


def _story(held: _Held, row: str, *, progress: Progress | None, trust: bool) -> Story:
    at = held.place_of(row)
    row = f"{at[0]}:{at[1]}#{at[2]}"
    rejected = held.rejected([row]).get(row)
    kept = held.kept([row]).get(row)
    if rejected is None and kept is None and held.finished.run.dataset.splits:
        raise held.no_such_row(row, at)
    again = reread(held.finished, at, rejected["part"] if rejected else None, progress=progress, trust=trust)
    if rejected is None and kept is None and not again.read:
        raise held.no_such_row(row, at)
    parts = _rejected_story(held, row, rejected) if rejected else _kept_story(held, row, kept)
    return Story(
        run=held.finished.run.id,
        row=row,
        origin=_origin(held, at, rejected, again),
        read=again.read,
        **_changes(held, row, again),
        **{"values": _final(again, kept), **parts},
        notes=tuple(_notes(held, rejected, kept, again)),
    )


@contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    """Tell a failure to read as damage, where a Parquet file of the run is damaged; other failures stay what they are.

    Raises:
        DataError: One is.
    """
    try:
        yield
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError):
        for pattern in ("dataset/data/*.parquet", "ledger/*.parquet", "predictions/*.parquet"):
            for file in sorted(folder.glob(pattern)):
                if why := _damage_of(file):
                    hint = "run the recipe again; what is done is not done twice"
                    raise DataError(f"a Parquet file cannot be read: {why}", at=str(file), hint=hint) from None
        raise


def _damage_of(file: Path) -> str:
    """Why a Parquet file cannot be read whole; empty where it can."""
    try:
        with pq.ParquetFile(file) as opened:
            for _ in opened.iter_batches():
                pass
    except (OSError, pa.ArrowException) as error:
        return str(error).splitlines()[0][:200]
    return ""


@dataclass(frozen=True)
class _Held:
    """What a run's folder holds about rows."""

    finished: Finished

    @property
    def folder(self) -> Path:
        return self.finished.folder

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.folder / "dataset")

    @cached_property
    def inputs(self) -> list[tuple[str, str]]:
        """Source and file of every input that rows come from."""
        lock = json.loads((self.folder / "recipe.lock").read_text("utf-8"))
        sources = [source.name for source in self.finished.run.sources[: len(self.recipe["sources"])]]
        return [(entry["source"], entry["file"]) for entry in lock["inputs"] if entry["source"] in sources]

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe as resolved, its parts not made."""
        data: dict[str, Any] = open_document(self.folder / "recipe.yaml").data
        return data

    @property
    def ledger(self) -> pl.LazyFrame:
        files = sorted((self.folder / "ledger").glob("*.parquet"))
        return pl.scan_parquet(files, glob=False) if files else pl.LazyFrame(schema=LEDGER_SCHEMA)

    def entries(self, rows: Sequence[str], action: str) -> list[dict[str, Any]]:
        """Ledger entries of some rows, evidence read."""
        found = self.ledger.filter(pl.col(ROW).is_in(list(rows)), pl.col("action") == action).collect()
        return [{**entry, "evidence": json.loads(entry["evidence"] or "{}")} for entry in found.to_dicts()]

    def rejected(self, rows: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Ledger entries of the rows that were rejected."""
        return {entry[ROW]: entry for entry in self.entries(rows, "rejected")}

    def kept(self, rows: Sequence[str]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Split and values of the rows that are in the dataset."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for split in self.finished.run.dataset.splits:
            if self.dataset.files(split):
                here = self.dataset.scan(split).filter(pl.col(ROW).is_in(list(rows))).collect()
                found |= {one.pop(ROW): (split, one) for one in here.to_dicts()}
        return found

    def fate(self, entry: dict[str, Any] | None, kept: tuple[str, dict[str, Any]] | None) -> Fate:
        """What became of a row."""
        if entry:
            return Fate(outcome="rejected", part=entry["part"], reason=entry["reason"])
        if kept:
            return Fate(outcome="kept", split=kept[0])
        stopped = not self.finished.run.dataset.splits
        return Fate(outcome="kept" if stopped else "unknown")

    def place_of(self, row: str) -> tuple[str, str, int]:
        """Source, file and record that a row's id names.

        Raises:
            RecipeError: It is no id, or there is no such source or file.
        """
        name, _, record = row.strip().rpartition("#")
        if not name and len(self.inputs) == 1:
            name = ":".join(self.inputs[0])
        source, _, file = name.partition(":")
        if not record.isdecimal() or not source:
            raise RecipeError(
                f"{row[:80]!r} is no row id",
                at="seedbed explain",
                hint=f"ids read SOURCE:FILE#RECORD, such as {':'.join(self.inputs[0])}#1" if self.inputs else "",
            )
        if (source, file) not in self.inputs:
            known = [f"{one}:{other}" for one, other in self.inputs]
            raise RecipeError(
                f"the run read no file {name[:80]!r}", at="seedbed explain", hint=did_you_mean(name, known, show=4)
            )
        return source, file, int(record)

    def no_such_row(self, row: str, at: tuple[str, str, int]) -> RecipeError:
        """The error of a row that the run did not read."""
        start = f"{at[0]}:{at[1]}#"
        seen = [self.ledger.select(ROW), *(self.dataset.scan(s).select(ROW) for s in self._splits_with_rows())]
        last = (
            pl.concat(seen)
            .filter(pl.col(ROW).str.starts_with(start))
            .select(pl.col(ROW).str.slice(len(start)).cast(pl.UInt64, strict=False).max())
            .collect()
            .item()
        )
        inside = last and 1 <= at[2] <= last
        return RecipeError(
            f"the run read no row {row[:120]!r}",
            at="seedbed explain",
            hint=f"its records go from 1 to {last}" + ("; an empty line is none" if inside else "")
            if last
            else "no record of that file was read",
        )

    def _splits_with_rows(self) -> list[str]:
        return [split for split in self.finished.run.dataset.splits if self.dataset.files(split)]

    def text_of(self, values: dict[str, Any]) -> str:
        return shown(values.get(self.finished.run.task["text"])) or ""

    def label_of(self, values: dict[str, Any]) -> str | None:
        return shown(values.get(self.finished.run.task["label"]))


def _origin(held: _Held, at: tuple[str, str, int], rejected: dict[str, Any] | None, again: Reread) -> Origin:
    source, file, record = at
    told = next(one for one in held.finished.run.sources if one.name == source)
    line = again.line or (rejected or {}).get("evidence", {}).get("line")
    return Origin(
        source=source,
        use=told.use,
        path=told.path,
        file=file,
        record=record,
        line=line,
        **{name: getattr(told, name) for name in ("license", "terms", "collected_by", "consent")},
        fetched=_fetched(held, source, file),
    )


def _fetched(held: _Held, source: str, file: str) -> Fetched | None:
    """Where a file was fetched, by the run's lineage."""
    try:
        lineage = json.loads((held.folder / "lineage.json").read_text("utf-8"))
        files = next(one["files"] for one in lineage["sources"] if one["name"] == source)
        found = next(one for one in files if one["name"] == file)
        return Fetched(**found["origin"], sha256=found["sha256"]) if "origin" in found else None
    except (OSError, ValueError, KeyError, TypeError, StopIteration):  # an older run, or a damaged one
        return None


def _changes(held: _Held, row: str, again: Reread) -> dict[str, Any]:
    if again.whole:
        return {"changes": again.changes, "all_changes": True}
    sampled = [
        Change(part=entry["part"], column=column, before=before, after=entry["evidence"]["after"].get(column))
        for entry in held.entries([row], "changed")
        for column, before in entry["evidence"]["before"].items()
    ]
    return {"changes": again.changes or tuple(sampled), "all_changes": False}


def _final(again: Reread, kept: tuple[str, dict[str, Any]] | None) -> dict[str, str | None] | None:
    values = kept[1] if kept else again.values
    return values and {name: shown(value) for name, value in values.items()}


def _notes(
    held: _Held, rejected: dict[str, Any] | None, kept: tuple[str, dict[str, Any]] | None, again: Reread
) -> Iterator[str]:
    if again.note:
        yield again.note
    elif again.read and again.rejected_by and (not rejected or rejected["part"] != again.rejected_by):
        yield f"Done again today, {again.rejected_by} rejects this row: it is not what it was when the run was made."
    elif kept and again.values and not all(same(again.values.get(name), value) for name, value in kept[1].items()):
        yield "Done again today, the steps give other values than those in the dataset: a part has changed since."
    if not again.whole and not again.changes:
        yield "Changes are sampled in the ledger, and not all of them are told here."
    if not held.finished.run.dataset.splits:
        why = ", ".join(held.finished.run.stopped_by)
        yield f"The run was stopped before its rows were split ({why}): there is no dataset and no model."


# A row that was rejected


def _rejected_story(held: _Held, row: str, entry: dict[str, Any]) -> dict[str, Any]:
    parts = [step.part for step in held.finished.run.steps]
    rejection = Rejection(
        part=entry["part"],
        reason=entry["reason"],
        evidence=entry["evidence"],
        place=parts.index(entry["part"]) + 1 if entry["part"] in parts else None,
        places=len(parts),
        excerpt=entry["excerpt"],
        relatives=tuple(_relatives(held, row, entry)),
    )
    return {"fate": held.fate(entry, None), "rejection": rejection}


def _relatives(held: _Held, row: str, entry: dict[str, Any]) -> Iterator[Relative]:
    """The rows that a rejected one is like, and where they were rejected too, the rows that those are like."""
    seen, waiting = {row}, [(row, entry)]
    while waiting and len(seen) <= _MOST_RELATIVES:
        of, asked = waiting.pop(0)
        evidence = asked["evidence"]
        if isinstance(evidence.get("against"), str):  # a row of another dataset, of which the run keeps the name alone
            yield Relative(
                row=evidence["of"],
                relation="of",
                to=of,
                against=evidence["against"],
                similarity=evidence.get("similarity"),
                text="",
                fate=Fate(outcome="unknown"),
            )
            continue
        named = list(_named(evidence))
        names = [name for _, name, _ in named]
        gone, kept = held.rejected(names), held.kept(names)
        for relation, name, similarity in named:
            if name in seen:
                continue
            seen.add(name)
            values = kept[name][1] if name in kept else {}
            yield Relative(
                row=name,
                relation=relation,
                to=of,
                similarity=similarity,
                text=held.text_of(values) if values else gone.get(name, {}).get("excerpt", ""),
                label=held.label_of(values) if values else None,
                fate=held.fate(gone.get(name), kept.get(name)),
            )
            if name in gone:
                waiting.append((name, gone[name]))


def _named(evidence: Mapping[str, Any]) -> Iterator[tuple[Literal["of", "kept"], str, float | None]]:
    """The rows that evidence names: how, which, and how similar. Of a row between splits, a neighbour of each."""
    for one in evidence.get("neighbours") or [evidence]:
        if isinstance(one.get("of"), str):
            yield "of", one["of"], one.get("similarity")
    if isinstance(evidence.get("kept"), str):
        yield "kept", evidence["kept"], None


# A row that was kept


def _kept_story(held: _Held, row: str, kept: tuple[str, dict[str, Any]] | None) -> dict[str, Any]:
    told: dict[str, Any] = {"fate": held.fate(None, kept), **_copies(held, row)}
    run = held.finished.run
    if kept is None:
        return told
    split, values = kept
    if run.dataset.near_duplicates:
        relating = Relating.of(run, held.dataset)
        text = values.get(relating.column)
        told |= {"threshold": relating.threshold, "shingles": relating.kind}
        if text is not None:
            told["together"] = tuple(relating.together(row, str(text)))
            told["neighbours"] = relating.taught(row, str(text))
    column = held.recipe.get("split", {}).get("group")
    if column is not None and values.get(column) is not None:
        same = pl.col(column) == values[column]
        told["group"] = f"{column} = {shown(values[column])}"
        told["group_rows"] = held.dataset.scan(split).filter(same).select(pl.len()).collect().item()
    return told | {"predictions": tuple(_predictions(held, row, split))}


def _copies(held: _Held, row: str) -> dict[str, Any]:
    """Rows that were rejected because of this one."""
    named = [pl.col("evidence").str.json_path_match(f"$.{key}") == row for key in ("of", "kept")]
    # A row of another dataset may have the name of one of this.
    own = pl.col("evidence").str.json_path_match("$.against").is_null()
    found = held.ledger.filter(pl.col("action") == "rejected", own, pl.any_horizontal(named)).collect()
    copies = [
        Copy(
            row=entry[ROW],
            part=entry["part"],
            reason=entry["reason"],
            similarity=json.loads(entry["evidence"]).get("similarity"),
            text=entry["excerpt"],
        )
        for entry in found.head(_MOST_COPIES).to_dicts()
    ]
    return {"copies": tuple(copies), "all_copies": found.height}


def _predictions(held: _Held, row: str, split: str) -> Iterator[Prediction]:
    for model in held.finished.run.models:
        path = held.folder / "predictions" / f"{model.name}-{split}.parquet"
        if not path.is_file():
            continue
        for one in pl.scan_parquet(path, glob=False).filter(pl.col(ROW) == row).collect().to_dicts():
            yield Prediction(
                model=model.name,
                predicted=one["predicted"],
                confidence=one["confidence"],
                truth=one["truth"],
                right=one["predicted"] == one["truth"],
            )
