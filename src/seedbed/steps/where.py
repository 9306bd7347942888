"""where: keep rows for which a condition holds."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar, Literal, Self

import polars as pl
import polars.selectors as cs
from pydantic import Field, model_validator

from seedbed.core.part import Example
from seedbed.core.step import Filter

from .values.conditions import Expression, columns_of, understood


class Where(Filter):
    """Keeps rows for which a condition holds (reason `condition_not_met`).

    The condition is an SQL expression over the columns of a row: `stars >= 4 AND length(text) > 20`. Text stands in
    single quotes (`source = 'shop'`), a date is written `DATE '2024-01-31'`, a column whose name is no plain word
    stands in double quotes (`"star rating" > 3`). There are comparisons, `AND OR NOT`, `IN`, `BETWEEN`, `LIKE` and
    `ILIKE`, `IS NULL`, arithmetic, `CASE`, and functions such as `lower`, `length`, `trim`, `replace`, `split_part`,
    `regexp_like(text, '^[A-Z]')`, `coalesce`, `abs`, `round`, `year`, `try_cast(x AS double)`. Polars reads it (its
    SQL functions: https://docs.pola.rs/api/python/stable/reference/sql/functions). As in SQL, `NULL` compared with
    anything is neither true nor false: such a row is rejected as `cannot_tell`. NaN counts as missing, too.

    ## Why
    "Reviews of verified buyers with at least three stars" is one line, and the ledger shows each row that it cost,
    with the values that decided.

    ## Limits
    One row is seen at a time: sums, ranks, windows, subqueries and the clock are refused. Nothing is converted in
    silence: compare text with text and numbers with numbers, or use `cast` before. Names of columns are read with
    their case. `length` counts characters, `=` compares text exactly.
    """

    use: Literal["where"] = "where"
    condition: Expression = Field(description="SQL expression that is true for the rows that stay.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two columns",
            options={"condition": "stars >= 4 AND lower(source) = 'shop'"},
            before={"text": ["a", "b", "c", "d"], "stars": [5, 3, 4, None], "source": ["Shop", "shop", "shop", "shop"]},
            after={"text": ["a", "c"]},
        ),
        Example(
            title="From a day on (after `parse_dates`, or a source that knows dates)",
            options={"condition": "day >= DATE '2024-01-01'"},
            before={"day": [datetime.date(2023, 12, 31), datetime.date(2024, 1, 1), None]},
            after={"day": [datetime.date(2024, 1, 1)]},
        ),
        Example(
            title="A name with a space, and a pattern",
            options={"condition": '"the title" NOT LIKE \'Re:%\' AND length(trim("the title")) > 1'},
            before={"the title": ["Re: hello", "hello", " x ", None]},
            after={"the title": ["hello"]},
        ),
    )

    @model_validator(mode="after")
    def _looks_at_a_row(self) -> Self:
        if not columns_of(understood(self.condition)):
            raise ValueError("the condition looks at no column, so it keeps every row or none")
        return self

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """The columns of the condition."""
        yield from (("condition", name) for name in columns_of(understood(self.condition)))

    def keep(self) -> pl.Expr:
        """Whether the condition holds; null where it is neither true nor false."""
        names = columns_of(understood(self.condition))
        return pl.struct(names).map_batches(partial(_holds, self.condition), return_dtype=pl.Boolean)

    def reason(self) -> pl.Expr:
        """Always `condition_not_met`."""
        return pl.lit("condition_not_met")

    def evidence(self) -> Mapping[str, pl.Expr]:
        """The values that the condition looked at."""
        return {name: pl.col(name) for name in columns_of(understood(self.condition))}


def _holds(condition: str, rows: pl.Series) -> pl.Series:
    table = rows.struct.unnest().with_columns(cs.float().fill_nan(None))
    held = table.select(understood(condition)).to_series()
    if held.dtype not in (pl.Boolean, pl.Null):
        raise pl.exceptions.InvalidOperationError(f"the condition gives {held.dtype}, and not true or false")
    return held.cast(pl.Boolean)
