"""cast: give columns a type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.step import Rework

from .values.kinds import DTYPES, NOT_ONE, Kind, read_as
from .values.worked import UNREAD, worked


class Cast(Rework):
    """Gives columns a type: text, integer, number, boolean, date or datetime.

    A row with a value that cannot be of the type is rejected (`not_a_number`, `not_an_integer`, `not_a_boolean`,
    `not_a_date`, `not_a_datetime`; the ledger names column and value), or the value is made missing.

    ## Why
    A column of numbers with one `n/a` in it is a column of text. Whoever turns it into numbers should say what became
    of the `n/a`.

    ## Limits
    Missing stays missing: null, NaN and, but for `text`, blank text. Numbers are written with a point, without
    separators: `1,234` and `12 €` are not numbers; neither are `nan` and `inf`. An integer may read `3.0` and has at
    most 64 bits. True reads true, t, yes, y, on or 1, false the like. Dates and times are ISO 8601, a time without a
    zone is UTC, and a datetime becomes its date in UTC: other forms are for `parse_dates`, and for `parse_numbers`.
    """

    use: Literal["cast"] = "cast"
    types: Annotated[dict[str, Kind], Field(min_length=1)] = Field(description="Types, as COLUMN: TYPE.")
    on_error: Literal["reject", "missing"] = Field(
        "reject", description="What becomes of a row with a value that does not fit: it goes, or the value does."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Numbers, or out",
            options={"types": {"stars": "integer", "verified": "boolean"}},
            before={"stars": ["5", " 4.0 ", "four", "", "1"], "verified": ["yes", "no", "yes", "TRUE", "maybe"]},
            after={"stars": [5, 4, None], "verified": [True, False, True]},
        ),
        Example(
            title="What does not fit is made missing",
            options={"types": {"price": "number"}, "on_error": "missing"},
            before={"price": ["12.50", "n/a", "1e3"]},
            after={"price": [12.5, None, 1000.0]},
        ),
    )
    told: ClassVar[tuple[str, ...]] = ("column", "value")
    stands: ClassVar[str] = UNREAD

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """The columns that get a type."""
        yield from (("types", name) for name in self.types)

    def work(self) -> pl.Expr:
        """The values as their types, and the first of a row that does not fit."""
        readings = {name: partial(_read, kind) for name, kind in self.types.items()}
        dtypes = {name: DTYPES[kind] for name, kind in self.types.items()}
        return worked(readings, dtypes, reject=self.on_error == "reject")

    def written(self) -> Sequence[str]:
        """The same columns."""
        return list(self.types)


def _read(kind: Kind, values: pl.Series) -> tuple[pl.Series, pl.Series]:
    known, wrong = read_as(kind, values)
    return known, pl.Series([NOT_ONE[kind]]).new_from_index(0, wrong.len()).set(~wrong, None)
