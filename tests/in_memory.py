"""What a whole-table step asks the engine for, over a table in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.step import Reduce


class Held:
    """Keys of a table in pieces by `key`, made a batch at a time."""

    def __init__(self, step: Reduce, rows: pl.DataFrame, *, pieces: int, batch: int, context: Context) -> None:
        self.rows, self.pieces, self.context = rows, pieces, context
        self.survey: Mapping[str, int] = {
            name: int(rows.select(one.sum()).item() or 0) for name, one in step.survey().items()
        }
        columns = [NUMBER, *step.reads()]
        batches = list(rows.iter_slices(batch)) or [rows]
        self.keys = pl.concat([step.keys(one.select(columns), self.survey) for one in batches])

    def partitions(self) -> Iterator[pl.DataFrame]:
        for piece in range(self.pieces):
            yield self.keys.filter(pl.col("key") % self.pieces == piece).sort(NUMBER)

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        return self.rows.filter(pl.col(NUMBER).is_in(numbers.implode())).select(NUMBER, ROW, *columns).sort(NUMBER)


def table(**columns: Any) -> pl.DataFrame:
    """Rows 1, 2, … of a file."""
    rows = pl.DataFrame(columns, strict=False)
    records = pl.Series(range(1, rows.height + 1), dtype=pl.UInt64)
    return number_rows(rows, file_number=0, source="0", file="f", records=records)


def verdicts(
    step: Reduce, rows: pl.DataFrame, *, pieces: int = 3, batch: int = 4, context: Context | None = None
) -> dict[int, dict[str, Any]]:
    """What a step says of rows, by their record (1, 2, …)."""
    step = step.for_task({"text": "text", "label": "label"})
    held = Held(step, rows, pieces=pieces, batch=batch, context=context or Context())
    told: dict[int, dict[str, Any]] = {}
    for piece in step.judge(held):
        for verdict in piece.to_dicts():
            number = verdict.pop(NUMBER)
            assert number not in told, "one verdict a row"
            told[number] = verdict
    return dict(sorted(told.items()))
