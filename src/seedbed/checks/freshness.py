"""freshness: the newest row is not old."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.part import Column, Example
from seedbed.core.rows import ROW

from .rows_shown import MOST

_MOMENT = "\x00moment"
_DAY = 86_400


class Freshness(Check):
    """Is the newest row new enough?

    The value is the age of the newest row in days, by the clock of the run. Rows of the future are not the newest: they
    are counted, named in the finding, and stand for themselves.

    ## Why
    A pipeline that reads last month's export goes on without a word, and what it trains knows nothing of this month.

    ## Limits
    Needs a column of dates; give one its type with `parse_dates` or `cast`. A moment without a zone is UTC, and a date
    is the start of its day. One new row among a million old ones is enough: `drift` and `value_range` look at the rest.
    What passes today fails another day, without a change of the data.
    """

    use: Literal["freshness"] = "freshness"
    column: Column = Field(description="Column of dates or moments.")
    at_most: float = Field(gt=0, description="Largest age of the newest row, in days.")
    future: float = Field(
        1.0,
        ge=0,
        description="Days by which a row may lie in the future: clocks differ, and days begin elsewhere first.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Long ago",
            options={"column": "day", "at_most": 36500},
            before={"day": [date(1815, 12, 10), date(1852, 11, 27), None]},
            after={"passed": [False], "limit": [36500.0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Look at the newest row."""
        moment = self._moment(view.rows.collect_schema()[self.column])
        rows = view.rows.select(ROW, moment.alias(_MOMENT)).filter(pl.col(_MOMENT).is_not_null())
        last = pl.lit(view.now + timedelta(days=self.future), pl.Datetime("us", "UTC"))
        future = pl.col(_MOMENT) > last
        told = rows.select(newest=pl.col(_MOMENT).filter(~future).max(), future=future.sum(), rows=pl.len()).collect(
            engine="streaming"
        )
        newest, ahead, dated = told.row(0)
        also = f" {things(ahead, 'row lies', 'rows lie')} in the future." if ahead else ""
        if newest is None:
            message = f"None of the {things(dated, 'row')} with a {self.column} is from the past.{also}"
            return self.finding(False, limit=self.at_most, message=message, rows=_rows(rows.filter(future)))
        age = max(0.0, (view.now - newest).total_seconds() / _DAY)
        passed = age <= self.at_most
        blamed = rows.filter(future) if ahead else rows.filter(pl.col(_MOMENT) == pl.lit(newest))
        return self.finding(
            passed,
            value=round(age, 3),
            limit=self.at_most,
            message=f"The newest row is of {_told(newest)}, {numbers.typed(f'{age:,.1f}')} days ago; at most "
            f"{self.at_most:,g} are allowed.{also}",
            rows=() if passed and not ahead else _rows(blamed),
        )

    def _moment(self, kind: pl.DataType) -> pl.Expr:
        """The column as moments in UTC.

        Raises:
            DataError: It holds no dates.
        """
        column = pl.col(self.column)
        if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
            return column.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
        if isinstance(kind, pl.Date | pl.Datetime):
            return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        raise DataError(
            f"{self.column!r} holds {kind} and no dates",
            at=self.use,
            hint="give the column its type with the step parse_dates",
        )


def _rows(rows: pl.LazyFrame) -> tuple[str, ...]:
    return tuple(rows.select(ROW).head(MOST).collect(engine="streaming")[ROW])


def _told(moment: datetime) -> str:
    day = moment.astimezone(UTC)
    return day.date().isoformat() if day.time() == datetime.min.time() else day.isoformat(timespec="minutes")
