"""Splits that follow each other in time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, field_validator, model_validator

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.part import Column, Example
from seedbed.core.splitter import LEFT_OUT, ByShares, ByValue, Placement

from .at_home import NEAR_HELD_OUT, homes
from .dealing import TRAIN

NO_TIME, GAP, SEEN_BEFORE = "no_time", "gap", "seen_before"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_MICROSECONDS = 1_000_000
#: Seconds from the year 1 to the year 9999.
_LONGEST = (datetime.max - datetime.min).total_seconds()


def _plain(value: Any) -> Any:
    # YAML reads an unquoted 2024-01-01 as a date.
    return value.isoformat() if isinstance(value, date) else value


#: A point in time, as text, or a number.
Point = Annotated[int | float | str, BeforeValidator(_plain)]


class Time(ByShares, ByValue):
    """Trains on the past and judges on what came after it: the oldest rows train, the youngest are the test.

    Where the splits begin follows from the shares, or is said (`validation_from`, `test_from`). Rows of one time are
    never parted. Rows nearer than `gap` before a split begins are in none (`gap`), and so are rows without a time
    (`no_time`). Of rows that belong together, those of the split that came first stay; what says the same in a later
    one is rejected (`seen_before`), with the row that it was seen in.

    ## Why
    A model is used on what comes after it was trained. Rows drawn by chance let it learn from the same week, the same
    campaign, the same price level that it is judged on; its score is then better than it will ever be again. A gap
    stands for what is not known yet when a model is trained: labels that come late, windows that reach back.

    ## Limits
    Labels are not balanced, and one that is new may be in the test rows alone. With a `group`, held-out rows are of
    groups that did not exist before. Held-out rows that repeat older ones are rejected, although a model would meet
    such: scores are about what is new. Texts are no times (`parse_dates` makes some); points without an offset are UTC,
    nothing finer than a microsecond is told apart, and a year beyond 9999 is no time. Rows that a source made only
    train, whatever their time.
    """

    use: Literal["time"] = Field("time", description="The splitter's name.")
    column: Column = Field(description="Column that holds the time: dates, points in time, or numbers.")
    gap: int | float | str = Field(
        0,
        description="How much time before a split begins is left out: `12h`, `7d`, `4w` (s, m, h, d, w), or a number "
        "in the column's own unit where that holds numbers.",
    )
    validation_from: Point | None = Field(
        None, description="Where validation begins, such as 2024-01-01; by the shares when left out."
    )
    test_from: Point | None = Field(None, description="Where the test begins; by the shares when left out.")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Ten days in the order of time, one day left out between splits",
            options={"column": "day", "train": 0.6, "validation": 0.2, "test": 0.2, "gap": 1},
            before={"label": ["a", "b"] * 5, "day": [3, 1, 2, 4, 6, 5, 8, 7, 10, 9]},
            after={"train": [5], "validation": [1], "test": [2], "rejected": [2]},
        ),
        Example(
            title="A copy of an old row is no new one",
            options={"column": "day", "test_from": 4},
            before={"label": ["a", "b", "a", "b", "a"], "day": [1, 2, None, 4, 5], "cluster": [0, 1, 2, 0, 4]},
            after={"train": [2], "test": [1], "rejected": [2]},
        ),
    )

    @field_validator("gap")
    @classmethod
    def _is_a_duration(cls, gap: int | float | str) -> int | float | str:
        if isinstance(gap, str):
            found = _DURATION.fullmatch(gap.strip())
            if not found:
                raise ValueError(f"{gap[:40]!r} is no duration: write 12h, 7d or 4w, or a number")
            if float(found[1]) * _SECONDS[found[2]] > _LONGEST:
                raise ValueError(f"{gap[:40]!r} is longer than all dates there are")
        if not isinstance(gap, str) and not 0 <= gap < float("inf"):
            raise ValueError("a gap is at least 0")
        return gap

    @field_validator("validation_from", "test_from")
    @classmethod
    def _is_a_point(cls, point: Any) -> Any:
        if isinstance(point, str):
            try:
                datetime.fromisoformat(point)
            except ValueError:
                raise ValueError(f"{point[:40]!r} is no date: write 2024-01-31 or 2024-01-31T12:00") from None
        return point

    @model_validator(mode="after")
    def _points_fit(self) -> Self:
        if self.validation_from is not None and self.test_from is None:
            raise ValueError("validation_from without test_from: say where the test begins, too")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """None where points are said."""
        return super().shares if self.test_from is None else {}

    @property
    def splits(self) -> tuple[str, ...]:
        """Train and test, and validation where it has a share or a beginning."""
        if self.test_from is None:
            return tuple(self.shares)
        return ("train", "test") if self.validation_from is None else ("train", "validation", "test")

    @property
    def says(self) -> str | None:
        """The column of the time."""
        return self.column

    def place(
        self, said: pl.Series, clusters: NDArray[np.int64], labels: NDArray[np.int64], only_train: NDArray[np.bool_]
    ) -> Placement:
        """By where each time lies between the points; the first split of a cluster's rows is that of all."""
        times, known = _times(said)
        real = known & ~only_train
        gap = self._gap(said)
        begins = self._begins(said, times[real])
        own = np.searchsorted(begins, times, side="right").astype(np.int8)
        after = np.searchsorted(begins, times + gap, side="right") > own if gap else np.zeros(len(times), np.bool_)
        places = np.where(real, own, LEFT_OUT).astype(np.int8)
        places[real & after] = LEFT_OUT
        places[only_train] = TRAIN
        reasons = np.full(len(times), None, dtype=object)
        reasons[~real] = NO_TIME
        reasons[real & after] = GAP
        reasons[only_train] = None
        age = np.lexsort((np.arange(len(times)), times, ~known))
        order = np.empty(len(times), dtype=np.int64)
        order[age] = np.arange(len(times))
        home = homes(places, clusters, only_train, ranks=range(len(self.splits)), order=order)
        late = (places != LEFT_OUT) & (places != home.split)
        places[late] = LEFT_OUT
        reasons[late] = np.where(only_train[late], NEAR_HELD_OUT, SEEN_BEFORE)
        self._refuse_empty(places, gap)
        return Placement(places, reasons, np.where(late, home.first, LEFT_OUT))

    def _gap(self, said: pl.Series) -> int | float:
        """In the unit of `_times`."""
        if not isinstance(self.gap, str):
            if self.gap and not said.dtype.is_numeric():
                raise DataError(
                    f"the column {self.column!r} holds points in time, and the gap is the number {self.gap:g}",
                    at="split.gap",
                    hint="write it as 12h, 7d or 4w",
                )
            return self.gap
        if said.dtype.is_numeric():
            raise DataError(
                f"the column {self.column!r} holds numbers, and the gap is {self.gap!r}",
                at="split.gap",
                hint="write it as a number in the column's unit",
            )
        found = _DURATION.fullmatch(self.gap.strip())
        assert found is not None
        return int(float(found[1]) * _SECONDS[found[2]] * _MICROSECONDS)

    def _begins(self, said: pl.Series, times: NDArray[Any]) -> list[Any]:
        """Where the splits after train begin, ascending."""
        if self.test_from is not None:
            points = [self.test_from] if self.validation_from is None else [self.validation_from, self.test_from]
            begins = [_point(point, said) for point in points]
            if begins != sorted(set(begins)):
                raise DataError("the test begins before validation does", at="split", hint="swap the two")
            return begins
        values = np.sort(times)
        borders = np.flatnonzero(values[1:] != values[:-1]) + 1
        wanted = np.cumsum(list(self.shares.values()))[:-1] * len(values)
        if len(borders) < len(wanted):
            raise DataError(
                f"{things(len(borders) + 1 if len(values) else 0, 'different time')} in column {self.column!r} cannot "
                f"make {len(wanted) + 1} splits: rows of one time are never parted",
                at="split",
                hint="is it the right column? Ask for fewer splits, or use: stratified",
            )
        chosen: list[int] = []
        for place, target in enumerate(wanted):
            # The nearest border that leaves one for each split before and after.
            low, high = (chosen[-1] + 1 if chosen else 0), len(borders) - (len(wanted) - place) + 1
            chosen.append(low + int(np.argmin(np.abs(borders[low:high] - target))))
        return [values[borders[one]] for one in chosen]

    def _refuse_empty(self, places: NDArray[np.int8], gap: int | float) -> None:
        for place, name in enumerate(self.splits):
            if not (places == place).any():
                why = f"with a gap of {self.gap}" if gap else f"by column {self.column!r}"
                raise DataError(
                    f"{name} gets no row {why}",
                    at="split",
                    hint="move the points or change the shares; make the gap shorter",
                )


def _times(said: pl.Series) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Times as numbers (of points in time, microseconds UTC), and whether each row has one."""
    if said.dtype == pl.Date or isinstance(said.dtype, pl.Datetime):
        if isinstance(said.dtype, pl.Datetime) and said.dtype.time_zone is not None:
            said = said.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        said = said.cast(pl.Datetime("us"))
        said = said.set(~said.is_between(datetime.min, datetime.max), None).to_physical()
    elif not said.dtype.is_numeric():
        kind = "text" if said.dtype == pl.String else str(said.dtype)
        raise DataError(
            f"the column {said.name!r} holds {kind}, and rows are ordered by dates, points in time or numbers",
            at="split.column",
            hint="add the step `parse_dates` (or `cast`) for it",
        )
    if said.dtype.is_float() or said.dtype.is_decimal():
        said = said.cast(pl.Float64)
        known = said.is_finite().fill_null(False)
    else:
        given, said = said, said.cast(pl.Int64, strict=False)
        known = said.is_not_null()
        if given.null_count() < said.null_count():
            raise DataError(
                f"the column {said.name!r} holds numbers of more than 64 bits",
                at="split.column",
                hint="add the step `cast` for it, to `number`",
            )
    return said.set(~known, 0).to_numpy(), known.to_numpy()


def _point(point: int | float | str, said: pl.Series) -> int | float:
    """A point of the recipe, in the unit of `_times`."""
    numbers = said.dtype.is_numeric()
    if isinstance(point, str) == numbers:
        holds = "numbers" if numbers else "points in time"
        raise DataError(
            f"the column {said.name!r} holds {holds}, and a split begins at {point!r}",
            at="split",
            hint="write a number" if numbers else "write a date, such as 2024-01-31",
        )
    if not isinstance(point, str):
        return point
    read = datetime.fromisoformat(point)
    read = read.replace(tzinfo=UTC) if read.tzinfo is None else read
    return (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
