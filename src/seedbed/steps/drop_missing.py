"""drop_missing: keep rows that are whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Columns, Example
from seedbed.core.step import Filter
from seedbed.core.values import is_missing


class DropMissing(Filter):
    """Rejects rows that miss a value in any of the columns (reason `missing`).

    Missing is null, NaN and, unless `blank: false`, a text of nothing but whitespace. The ledger names the columns
    that miss a value.

    ## Why
    A row without its text or its label teaches nothing, and a learner that fills the gap in silence teaches something
    wrong.

    ## Limits
    Words that stand for nothing, such as `n/a`, are values: make them null with `map_values` before. Where values are
    missing for a reason, the rows that stay are not like those that went: look at what was rejected.
    """

    use: Literal["drop_missing"] = "drop_missing"
    columns: Columns = Field(description="Columns that a row must have values in.")
    blank: bool = Field(True, description="Whether text of nothing but whitespace is missing too.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Nothing, blank and not a number",
            options={"columns": ["text", "score"]},
            before={"text": ["good", None, " \n", "fine"], "score": [0.5, 0.1, 0.2, float("nan")]},
            after={"text": ["good"], "score": [0.5]},
        ),
        Example(
            title="Blank text stays",
            options={"columns": ["text"], "blank": False},
            before={"text": ["good", None, ""]},
            after={"text": ["good", ""]},
        ),
    )

    def keep(self) -> pl.Expr:
        """True where no column misses a value."""
        return ~pl.any_horizontal([is_missing(name, blank=self.blank) for name in self.columns])

    def reason(self) -> pl.Expr:
        """Always `missing`."""
        return pl.lit("missing")

    def evidence(self) -> Mapping[str, pl.Expr]:
        """The columns that miss a value."""
        named = [pl.when(is_missing(name, blank=self.blank)).then(pl.lit(name)) for name in self.columns]
        return {"columns": pl.concat_str(named, separator=", ", ignore_nulls=True)}
