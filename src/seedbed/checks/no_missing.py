"""no_missing: every row has its values."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.check import Check, Finding, View
from seedbed.core.numbers import things, word
from seedbed.core.part import Columns, Example
from seedbed.core.values import is_missing

from .rows_shown import first_rows


class NoMissing(Check):
    """Does every row have a value in these columns?

    Missing is null, NaN and, unless `blank: false`, a text of nothing but whitespace: as in `drop_missing`. The value
    is the number of rows that miss one.

    ## Why
    A column that is half empty is a fault of the source, or says something about who answered.

    ## Limits
    Words that stand for nothing, such as `n/a`, are values here.
    """

    use: Literal["no_missing"] = "no_missing"
    columns: Columns | None = Field(
        None, description="Columns that must be whole; those that the task names when left out."
    )
    blank: bool = Field(True, description="Whether text of nothing but whitespace is missing too.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The task's columns",
            before={"text": ["a", " ", "c"], "label": ["x", "y", None], "note": [None, None, None]},
            after={"passed": [False], "value": [2], "limit": [0]},
        ),
        Example(
            title="A column of numbers",
            options={"columns": ["score"]},
            before={"score": [0.0, 1.5]},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Count rows that miss a value."""
        names = self.columns or list(view.task.roles.values())
        missing = [is_missing(name, blank=self.blank) for name in names]
        blamed = pl.any_horizontal(missing)
        counts = view.rows.select(
            pl.len().alias("all"),
            blamed.sum().alias("rows"),
            *(one.sum().alias(f"column {i}") for i, one in enumerate(missing)),
        ).collect(engine="streaming")
        total, rows, *each = (int(n) for n in counts.row(0))
        if not rows:
            message = f"None of {things(total, 'row')} misses a value in {_listed(names)}."
            return self.finding(True, value=0, limit=0, message=message)
        told = _listed([f"{name} ({n:,})" for name, n in zip(names, each, strict=True) if n])
        message = f"{rows:,} of {things(total, 'row')} {word(rows, 'misses', 'miss')} a value: {told}."
        return self.finding(False, value=rows, limit=0, message=message, rows=first_rows(view, blamed))


def _listed(names: list[str]) -> str:
    return ", ".join(names)
