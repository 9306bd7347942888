"""value_range: numbers and dates are where they may be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Literal, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.errors import DataError
from seedbed.core.part import Column, Example
from seedbed.core.values import is_missing

from .rows_shown import share_finding


def _as_limit(given: object) -> object:
    """Text is an ISO 8601 date, with or without a time; a moment without a zone is UTC."""
    if isinstance(given, bool):
        raise ValueError("a limit is a number or a date")
    if not isinstance(given, str):
        return given
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{given[:40]!r} is neither a number nor a date such as 2024-03-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Limit = Annotated[float | datetime, BeforeValidator(_as_limit, json_schema_input_type=float | str)]


class ValueRange(Check):
    """Do numbers, or dates, lie within limits?

    The value is the share of values outside, the limit the share that may be.

    ## Why
    An age of 240, a price of -1 or a review of next year are faults of a source that no model will tell you about.

    ## Limits
    Missing values are not judged here but by `no_missing`. A column of text is refused: give it a type with `cast` or
    `parse_dates`. Limits are ISO 8601 for dates; one without a zone is UTC, and a date is the start of its day.
    """

    use: Literal["value_range"] = "value_range"
    column: Column = Field(description="Column of numbers or dates.")
    at_least: Limit | None = Field(None, description="Least value, a number or a date such as 2024-03-31.")
    at_most: Limit | None = Field(None, description="Largest value.")
    share_outside: float = Field(0.0, ge=0, lt=1, description="Share of values that may lie outside.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Stars",
            options={"column": "stars", "at_least": 1, "at_most": 5},
            before={"stars": [1, 5, 3, 50, None]},
            after={"passed": [False], "value": [0.25], "limit": [0.0]},
        ),
        Example(
            title="Days, of which a few may be wrong",
            options={"column": "day", "at_least": "2020-01-01", "share_outside": 0.5},
            before={"day": [date(2019, 12, 31), date(2020, 1, 1)]},
            after={"passed": [True], "value": [0.5], "limit": [0.5]},
        ),
    )

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        least, most = self.at_least, self.at_most
        if least is None and most is None:
            raise ValueError("value_range needs at_least, at_most or both")
        if least is None or most is None:
            return self
        if isinstance(least, datetime) != isinstance(most, datetime):
            raise ValueError("at_least and at_most are one a number and one a date")
        if least > most:  # type: ignore[operator]
            raise ValueError(f"nothing is at least {_told(least)} and at most {_told(most)}")
        return self

    def find(self, view: View) -> Finding:
        """Measure the share of values outside."""
        value = self._comparable(view.rows.collect_schema()[self.column])
        outside = pl.lit(False)
        if self.at_least is not None:
            outside |= value < _literal(self.at_least)
        if self.at_most is not None:
            outside |= value > _literal(self.at_most)
        there = ~is_missing(self.column)
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        expected = " and ".join(f"{word} {_told(limit)}" for word, limit in bounds if limit is not None)
        ends = view.rows.filter(there).select(low=value.min(), high=value.max()).collect(engine="streaming").row(0)
        spans = f", and they go from {_told(ends[0])} to {_told(ends[1])}" if None not in ends else ""
        return share_finding(
            self,
            view,
            judged=there,
            blamed=outside,
            limit=self.share_outside,
            what=f"values of {self.column} lie outside: {expected} is expected{spans}",
        )

    def _comparable(self, kind: pl.DataType) -> pl.Expr:
        """The column, as what its limits can be compared with.

        Raises:
            DataError: Its type has no place among them.
        """
        wants_dates = isinstance(self.at_most if self.at_least is None else self.at_least, datetime)
        column = pl.col(self.column)
        if wants_dates and isinstance(kind, pl.Date | pl.Datetime):
            aware = isinstance(kind, pl.Datetime) and kind.time_zone is not None
            return (
                column.dt.convert_time_zone("UTC")
                if aware
                else column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
            )
        if not wants_dates and kind.is_numeric():
            return column
        wanted, way = ("dates", "parse_dates") if wants_dates else ("numbers", "cast")
        raise DataError(
            f"{self.column!r} holds {kind}, and the limits are {wanted}",
            at=self.use,
            hint=f"give the column its type with the step {way}",
        )


def _literal(limit: float | datetime) -> pl.Expr:
    return pl.lit(limit, pl.Datetime("us", "UTC")) if isinstance(limit, datetime) else pl.lit(limit)


def _told(limit: object) -> str:
    if isinstance(limit, datetime):
        return limit.date().isoformat() if limit == datetime(*limit.timetuple()[:3], tzinfo=UTC) else limit.isoformat()
    return numbers.typed(f"{limit:,.10g}") if isinstance(limit, float | int) else str(limit)
