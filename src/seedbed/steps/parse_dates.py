"""parse_dates: read dates and times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import available_timezones

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from seedbed.core.errors import did_you_mean
from seedbed.core.part import Column, Columns, Example
from seedbed.core.step import Rework

from .values.kinds import DTYPES
from .values.moments import epoch_moments, formatted_moments, in_utc, iso_moments
from .values.worked import UNREAD, worked

_EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1000}
_NUMERIC = r"^\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})\b"
_CLOCKS = ("", " %H:%M", " %H:%M:%S")


def _a_format(form: str) -> str:
    if form == "iso" or form in _EPOCHS:
        return form
    if "%" not in form:
        names = ["iso", *_EPOCHS]
        hint = did_you_mean(form, names)
        raise ValueError(f"{form!r} is no format: write one such as '%d.%m.%Y %H:%M', or {hint.replace('known: ', '')}")
    full = any(f"%{sign}" in form for sign in ("Y", "y", "D", "F", "s", "c", "x", "+", "v"))
    if not full:
        raise ValueError(f"the format {form!r} has no year")
    now = pl.Series([datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)])
    try:
        read = now.dt.strftime(form).str.to_datetime(form, strict=False, time_unit="us")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        read = pl.Series([None])
    if read[0] is None or read[0].date() != now[0].date():
        raise ValueError(f"the format {form!r} reads no dates; it needs year, month and day (%Y %m %d)")
    return form


def _a_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(
            f"there is no time zone {name!r}; {did_you_mean(name, available_timezones(), show=0)}".rstrip("; ")
        )
    return name


class ParseDates(Rework):
    """Reads dates and times: ISO 8601 (`2024-03-31T14:05+02:00`) by default, and the formats that you name.

    Formats are tried in order: `iso`, `epoch_seconds`, `epoch_milliseconds`, and patterns of strftime
    (https://docs.rs/chrono/latest/chrono/format/strftime) such as `%d %b %Y`. `day_first` reads dates of numbers:
    `true` takes 3/4/2024 (also 3.4.24 and 3-4-2024, with or without a time) for the third of April, `false` for the
    fourth of March. What no format reads is rejected (`not_a_date`) or made missing. Where day and month could be the
    other way round and nothing says which comes first, the reason is `ambiguous_date`.

    ## Why
    `03/04/2024` is two dates. A program that picks one in silence is wrong for one half of the world, and the error
    shows nowhere.

    ## Limits
    The column becomes a moment in UTC with microseconds, or, with `to: date`, the date of that moment in UTC. Times
    without a zone are taken to be of `time_zone`; a time that its clocks show twice, or never, when summer time comes
    and goes, cannot be read. Names of months are English. Years before 1000 are not read by patterns. Missing and
    blank values stay missing.
    """

    use: Literal["parse_dates"] = "parse_dates"
    column: Column | Columns = Field(description="Column to read, or several.")
    formats: Annotated[list[Annotated[str, AfterValidator(_a_format)]], Field(min_length=1)] = Field(
        ["iso"], description="Formats, in the order in which they are tried."
    )
    day_first: bool | None = Field(
        None, description="Whether the day comes first in dates of numbers; they are not read when left out."
    )
    time_zone: Annotated[str, AfterValidator(_a_zone)] = Field("UTC", description="Zone of times that name none.")
    to: Literal["datetime", "date"] = Field("datetime", description="What the column becomes.")
    on_error: Literal["reject", "missing"] = Field(
        "reject", description="What becomes of a row with a value that cannot be read: it goes, or the value does."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="ISO 8601, and what is not guessed",
            options={"column": "day", "to": "date"},
            before={"day": ["2024-03-31", "2024-03-31T23:30:00-05:00", "03/04/2024", "soon", None]},
            after={"day": [date(2024, 3, 31), date(2024, 4, 1), None]},
        ),
        Example(
            title="Day first, and names of months",
            options={"column": "day", "formats": ["iso", "%d %b %Y"], "day_first": True, "to": "date"},
            before={"day": ["3/4/2024", "25.12.24 18:30", "1 May 2024", "2024-02-30"]},
            after={"day": [date(2024, 4, 3), date(2024, 12, 25), date(2024, 5, 1)]},
        ),
    )
    told: ClassVar[tuple[str, ...]] = ("column", "value")
    stands: ClassVar[str] = UNREAD

    @model_validator(mode="after")
    def _no_format_twice(self) -> Self:
        if len(set(self.formats)) < len(self.formats):
            raise ValueError("a format is named twice")
        return self

    def work(self) -> pl.Expr:
        """The values as moments or dates, and the first of a row that cannot be read."""
        dtype = DTYPES["date" if self.to == "date" else "datetime"]
        names = self.written()
        return worked(dict.fromkeys(names, self._read), dict.fromkeys(names, dtype), reject=self.on_error == "reject")

    def written(self) -> Sequence[str]:
        """The same columns."""
        return [self.column] if isinstance(self.column, str) else list(dict.fromkeys(self.column))

    def _read(self, values: pl.Series) -> tuple[pl.Series, pl.Series]:
        moments = self._moments(values)
        text = values.cast(pl.String, strict=False)
        missing = values.is_null() | (text.str.strip_chars().str.len_bytes() == 0) | (text == "NaN")
        ambiguous = text.str.strip_chars().str.contains(_NUMERIC) if self.day_first is None else missing & ~missing
        faults = pl.select(
            pl.when(missing | moments.is_not_null())
            .then(None)
            .when(ambiguous)
            .then(pl.lit("ambiguous_date"))
            .otherwise(pl.lit("not_a_date"))
        ).to_series()
        return moments.dt.date() if self.to == "date" else moments, faults

    def _moments(self, values: pl.Series) -> pl.Series:
        """In UTC, in microseconds; null where a value cannot be read."""
        kind = values.dtype
        if kind == pl.Date:
            return self._of_zone(values.cast(pl.Datetime("us")))
        if isinstance(kind, pl.Datetime):
            aware = kind.time_zone is not None
            return (values.dt.convert_time_zone("UTC") if aware else self._of_zone(values)).dt.cast_time_unit("us")
        epochs = [_EPOCHS[form] for form in self.formats if form in _EPOCHS]
        if kind.is_numeric() and epochs:
            return epoch_moments(values, epochs[0])
        if not (kind in (pl.String, pl.Categorical, pl.Enum, pl.Null) or kind.is_integer()) or (
            kind.is_integer() and self.formats == ["iso"]
        ):
            raise pl.exceptions.InvalidOperationError(
                f"{values.name!r} holds {kind}: say what its numbers are, such as formats: [epoch_seconds]"
                if kind.is_numeric()
                else f"{values.name!r} holds {kind}, which is never a date"
            )
        texts = values.cast(pl.String).str.strip_chars()
        found = pl.Series(values.name, [None], dtype=DTYPES["datetime"]).new_from_index(0, len(values))
        for form in [*self.formats, *self._of_numbers()]:
            if found.null_count() == 0:
                break
            found = found.zip_with(found.is_not_null(), self._by(form, texts))
        return found

    def _by(self, form: str, texts: pl.Series) -> pl.Series:
        if form == "iso":
            return iso_moments(texts, self.time_zone)
        if form in _EPOCHS:
            return epoch_moments(texts.cast(pl.Float64, strict=False), _EPOCHS[form])
        return formatted_moments(texts, form, self.time_zone)

    def _of_numbers(self) -> list[str]:
        if self.day_first is None:
            return []
        pair = ("%d", "%m") if self.day_first else ("%m", "%d")
        return [
            sign.join((*pair, year)) + clock for year in ("%Y", "%y") for sign in ("/", ".", "-") for clock in _CLOCKS
        ]

    def _of_zone(self, clock: pl.Series) -> pl.Series:
        return clock.to_frame("t").select(in_utc(pl.col("t"), self.time_zone)).to_series()
