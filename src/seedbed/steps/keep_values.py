"""keep_values: keep rows with certain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Column, Example
from seedbed.core.step import Filter
from seedbed.core.values import Value, text_of


class KeepValues(Filter):
    """Rejects rows whose value is not one of the values named (reason `value_not_kept`).

    ## Why
    A dataset for three labels should not carry a fourth that a few rows have by mistake.

    ## Limits
    A missing value can be neither named nor told: such a row is rejected as `cannot_tell`. Values are compared whole,
    as text and with their case: a whole number reads `1`, a decimal `1.0`, truth `true`.
    """

    use: Literal["keep_values"] = "keep_values"
    column: Column = Field(description="Column to look at.")
    values: Annotated[list[Value], Field(min_length=1)] = Field(description="Values of the rows that stay.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two labels of three",
            options={"column": "label", "values": ["good", "bad"]},
            before={"text": ["a", "b", "c", "d"], "label": ["good", "so-so", "bad", None]},
            after={"text": ["a", "c"], "label": ["good", "bad"]},
        ),
        Example(
            title="Numbers",
            options={"column": "stars", "values": [1, 5]},
            before={"stars": [1, 2, 5]},
            after={"stars": [1, 5]},
        ),
    )

    def keep(self) -> pl.Expr:
        """True for the values named; null for a missing value."""
        return text_of(self.column).is_in(self.values)

    def reason(self) -> pl.Expr:
        """Always `value_not_kept`."""
        return pl.lit("value_not_kept")

    def evidence(self) -> Mapping[str, pl.Expr]:
        """The value."""
        return {"value": text_of(self.column)}
