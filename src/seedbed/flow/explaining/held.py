"""What a run's folder holds about rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.documents import open_document
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.ledger import LEDGER_SCHEMA
from seedbed.core.rows import PARENTS, ROW
from seedbed.flow.finished import Finished
from seedbed.flow.splitting.dataset import Dataset

from .showing import shown
from .story import Fate

Kept = tuple[str, dict[str, Any]]
"""Split and values of a row of the dataset."""


#: Characters of the fields of a table.
_MOST_TEXT = 300


@dataclass(frozen=True)
class Held:
    """What a run's folder holds about rows."""

    finished: Finished

    @property
    def folder(self) -> Path:
        """The run's."""
        return self.finished.folder

    @property
    def dataset(self) -> Dataset:
        """The run's."""
        return Dataset(self.folder / "dataset")

    @property
    def text(self) -> str:
        """The task's column of texts; empty where rows have none."""
        task = self.finished.task
        return (task.shown or "") if task else str(self.finished.run.task.get("text", ""))

    @property
    def label(self) -> str:
        """The column with what is to be told of a row; empty where there is none."""
        task = self.finished.task
        return (task.answer or "") if task else str(self.finished.run.task.get("label", ""))

    @cached_property
    def inputs(self) -> list[tuple[str, str]]:
        """Source and file of every input that rows come from."""
        lock = json.loads((self.folder / "recipe.lock").read_text("utf-8"))
        sources = [source.name for source in self.finished.run.sources[: len(self.recipe["sources"])]]
        return [(entry["source"], entry["file"]) for entry in lock["inputs"] if entry["source"] in sources]

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The recipe as resolved, its parts not made."""
        data: dict[str, Any] = open_document(self.folder / "recipe.yaml").data
        return data

    @property
    def ledger(self) -> pl.LazyFrame:
        """All entries."""
        files = sorted((self.folder / "ledger").glob("*.parquet"))
        return pl.scan_parquet(files, glob=False) if files else pl.LazyFrame(schema=LEDGER_SCHEMA)

    def entries(self, rows: Sequence[str], action: str) -> list[dict[str, Any]]:
        """Ledger entries of some rows, evidence read."""
        found = self.ledger.filter(pl.col(ROW).is_in(list(rows)), pl.col("action") == action).collect()
        return [{**entry, "evidence": json.loads(entry["evidence"] or "{}")} for entry in found.to_dicts()]

    def rejected(self, rows: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Ledger entries of the rows that were rejected."""
        return {entry[ROW]: entry for entry in self.entries(rows, "rejected")}

    def kept(self, rows: Sequence[str]) -> dict[str, Kept]:
        """Split and values of the rows that are in the dataset."""
        found: dict[str, Kept] = {}
        for split in self.splits:
            here = self.dataset.scan(split).filter(pl.col(ROW).is_in(list(rows))).collect()
            found |= {one.pop(ROW): (split, one) for one in here.to_dicts()}
        return found

    def fate(self, entry: dict[str, Any] | None, kept: Kept | None) -> Fate:
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
        seen = [self.ledger.select(ROW), *(self.dataset.scan(split).select(ROW) for split in self.splits)]
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

    @property
    def splits(self) -> list[str]:
        """Splits that have rows."""
        return [split for split in self.finished.run.dataset.splits if self.dataset.files(split)]

    def text_of(self, values: dict[str, Any]) -> str:
        """The text of a row, or the fields of a table, fit to be shown."""
        if self.text:
            return shown(values.get(self.text)) or ""
        told = {name: value for name, value in values.items() if name not in (self.label, PARENTS)}
        return ", ".join(f"{name}: {shown(value)}" for name, value in told.items() if value is not None)[:_MOST_TEXT]

    def label_of(self, values: dict[str, Any]) -> str | None:
        """The label of a row, fit to be shown."""
        return shown(values.get(self.label))


@contextmanager
def damage_told(folder: Path) -> Iterator[None]:
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
