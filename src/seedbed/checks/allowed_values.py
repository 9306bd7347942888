"""allowed_values: nothing in a column but what belongs there."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.numbers import things, word
from seedbed.core.part import Column, Example
from seedbed.core.rows import ROW
from seedbed.core.values import Value, text_of

from .rows_shown import MOST


class AllowedValues(Check):
    """Does a column hold only values that are allowed?

    The value is the number of rows that hold another.

    ## Why
    A label that is misspelt is a class of its own to a model.

    ## Limits
    Missing values are not judged here but by `no_missing`. Values are compared whole, as text and with their case: a
    whole number reads `1`, a decimal `1.0`, truth `true`.
    """

    use: Literal["allowed_values"] = "allowed_values"
    column: Column = Field(description="Column to look at.")
    values: Annotated[list[Value], Field(min_length=1)] = Field(description="Values that are allowed.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A misspelt label",
            options={"column": "label", "values": ["ham", "spam"]},
            before={"label": ["ham", "spma", "spam", None]},
            after={"passed": [False], "value": [1], "limit": [0]},
        ),
        Example(
            title="Numbers",
            options={"column": "stars", "values": [1, 2, 3]},
            before={"stars": [1, 2, 3]},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Count rows with other values."""
        value = text_of(self.column)
        other = ~value.is_in(self.values)
        counts = view.rows.select(pl.len().alias("all"), other.sum().alias("rows")).collect(engine="streaming")
        total, rows = (int(n) for n in counts.row(0))
        if not rows:
            message = f"All values of {self.column} in {things(total, 'row')} are allowed."
            return self.finding(True, value=0, limit=0, message=message)
        shown = view.rows.filter(other).select(ROW, value.alias("value")).head(MOST).collect(engine="streaming")
        examples = ", ".join(repr(mask(text)[:40]) for text in shown["value"].unique(maintain_order=True).head(5))
        message = (
            f"{rows:,} of {things(total, 'row')} {word(rows, 'holds', 'hold')} a value of "
            f"{self.column} that is not "
            f"allowed, such as {examples}."
        )
        return self.finding(False, value=rows, limit=0, message=message, rows=tuple(shown[ROW]))
