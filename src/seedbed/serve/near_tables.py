"""Which training rows are most like a row of a table: the mean of how alike each of its values is (Gower 1971).

Numbers are alike by how near they are, as a share of the training rows' range; categories are equal or not (Gower, *A
General Coefficient of Similarity and Some of Its Properties*). A value that the row lacks is not compared; one that a
training row lacks is unlike any, or rows with a single value would be most like all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from seedbed.core import digest
from seedbed.core.ledger import masked
from seedbed.core.rows import ROW
from seedbed.core.task import Task, answers_said
from seedbed.core.values import HAS_TEXT
from seedbed.core.version import __version__
from seedbed.monitor.trained import Trained
from seedbed.store.places import arriving

from .nearest import MOST_ROWS, SHOWN, NearRow, first_of

#: Columns that are compared; more would take more memory than a look at rows is worth.
MOST_COLUMNS = 100
_LABEL, _PLACE = "label", "\x00place"


@dataclass(frozen=True)
class TableIndex:
    """Training rows, mapped: memory holds what is looked at."""

    rows: pl.DataFrame
    """`ROW`, `label`, and the columns that are compared, each named by its place."""
    columns: Mapping[str, Trained]
    task: Task

    @classmethod
    def open(cls, files: Sequence[Path], task: Task, store: Path, trained: Mapping[str, Trained]) -> TableIndex:
        """The index that is kept, or a new one."""
        columns = dict(list(trained.items())[:MOST_COLUMNS])
        made_from = [[path.name, digest.of_file(path)] for path in files]
        told = {name: one.model_dump(mode="json") for name, one in columns.items()}
        key = digest.of_json([made_from, told, task.answer, MOST_ROWS, __version__])
        place = store / "near" / key
        if not place.is_dir():
            with arriving(place, replacing=False) as partial:
                partial.mkdir()
                _write(partial / "rows.arrow", files, task, columns)
        import pyarrow as pa  # only here: a server that nobody asks about training rows does without

        with pa.memory_map(str(place / "rows.arrow")) as mapped:
            rows = pl.from_arrow(pa.ipc.open_file(mapped).read_all(), rechunk=False)
        return cls(cast(pl.DataFrame, rows), columns, task)

    def nearest(self, asked: pl.DataFrame, most: int, *, texts: bool) -> list[NearRow]:
        """The rows that are most like one, the nearest first.

        Args:
            asked: One row, as the model reads it.
            most: How many.
            texts: Whether values are told, or only names and labels.
        """
        alike, compared = np.zeros(self.rows.height), 0
        for place, (name, one) in enumerate(self.columns.items()):
            value = asked.select(_read(name, one, asked.schema[name])).item() if name in asked.columns else None
            if value is None:
                continue
            compared += 1
            alike += self.rows.select(_alike(pl.col(str(place)), one, value).fill_null(0.0)).to_series().to_numpy()
        if not compared:
            return []
        places, alike = first_of(alike / compared, most)
        rows = self.rows[places]
        names = {str(place): name for place, name in enumerate(self.columns)}
        told = rows.select(
            masked(pl.col(at)).str.slice(0, SHOWN) if rows.schema[at] == pl.String else at for at in names
        )
        labels = answers_said(self.task, rows[_LABEL]).cast(pl.String)
        each = zip(rows[ROW], labels, alike, told.rename(names).iter_rows(named=True), strict=True)
        return [
            NearRow(row, label, round(float(near), 4), None, values if texts else None)
            for row, label, near, values in each
        ]


def _read(name: str, trained: Trained, kind: pl.DataType) -> pl.Expr:
    """A column as it is compared: as numbers, or as text; null where there is nothing."""
    text = pl.col(name).cast(pl.String)
    if trained.low is None:
        return pl.when(text.str.contains(HAS_TEXT)).then(text)
    number = (text.str.strip_chars() if kind == pl.String else pl.col(name)).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _alike(column: pl.Expr, trained: Trained, value: str | float) -> pl.Expr:
    """How alike values are to one, from 0 to 1."""
    if trained.low is None or trained.high is None:
        return (column == value).cast(pl.Float64)
    return (1 - (column - value).abs() / ((trained.high - trained.low) or 1.0)).clip(0, 1)


def _write(path: Path, files: Sequence[Path], task: Task, columns: Mapping[str, Trained]) -> None:
    """Write the rows, evenly over all where they are too many, as they stream by."""
    whole = pl.scan_parquet(list(files), glob=False)
    schema = whole.collect_schema()
    step = max(1, -(-whole.select(pl.len()).collect().item() // MOST_ROWS))
    compared = [_read(name, one, schema[name]).alias(str(place)) for place, (name, one) in enumerate(columns.items())]
    some = whole.with_row_index(_PLACE).filter(pl.col(_PLACE) % step == 0)
    rows = some.select(ROW, pl.col(str(task.answer)).alias(_LABEL), *compared)
    rows.sink_ipc(path, compression="uncompressed", compat_level=pl.CompatLevel.newest())
