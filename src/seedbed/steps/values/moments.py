"""How dates and times are read out of text."""

from __future__ import annotations

import polars as pl

_ISO = (
    r"^(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?P<time>\d{2}:\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r" ?(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?$"
)
#: An earlier year is a year of two digits that was read as one of four.
_FIRST_YEAR = 1000


def iso_dates(texts: pl.Series) -> pl.Series:
    """Dates written as ISO 8601 says: `2024-03-31`. Null for everything else."""
    return texts.str.to_date("%Y-%m-%d", strict=False, exact=True).set(texts.str.len_chars() != 10, None)


def iso_moments(texts: pl.Series, zone: str) -> pl.Series:
    """Moments in UTC, written as ISO 8601 says: `2024-03-31`, `2024-03-31 14:05`, `2024-03-31T14:05:09.25+02:00`.

    Args:
        texts: Without blanks at their ends.
        zone: Time zone of moments that name none.

    Returns:
        Datetime in microseconds, UTC; null for everything else, and for times that a clock of the zone shows twice or
        never.
    """
    parts = texts.to_frame("t").select(pl.col("t").str.extract_groups(_ISO)).unnest("t")
    clock = pl.concat_str(
        "date", pl.lit("T"), pl.col("time").fill_null("00:00"), pl.lit(":"), pl.col("second").fill_null("00")
    )
    offset = pl.col("zone").str.replace(r"^[Zz]$", "+0000").str.replace(":", "")
    minutes = offset.str.slice(1, 2).cast(pl.Int64) * 60 + offset.str.slice(3, 2).replace("", "0").cast(pl.Int64)
    ahead = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes)
    micros = pl.col("part").str.pad_end(9, "0").str.slice(0, 6).cast(pl.Int64).fill_null(0)
    naive = clock.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us") + pl.duration(microseconds=micros)
    told = naive - pl.duration(minutes=ahead)
    found = parts.select(
        pl.when(pl.col("zone").is_null()).then(in_utc(naive, zone)).otherwise(told.dt.replace_time_zone("UTC"))
    )
    return found.to_series().alias(texts.name)


def in_utc(naive: pl.Expr, zone: str) -> pl.Expr:
    """Clock times of a zone in UTC; null where a clock of the zone shows them twice or never."""
    if zone == "UTC":
        return naive.dt.replace_time_zone("UTC")
    return naive.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")


def formatted_moments(texts: pl.Series, form: str, zone: str) -> pl.Series:
    """Moments in UTC, read by a format of strftime (https://docs.rs/chrono/latest/chrono/format/strftime).

    Returns:
        Datetime in microseconds, UTC; null for what does not fit, and for years before 1000.
    """
    found = texts.str.to_datetime(form, strict=False, exact=True, time_unit="us")
    found = found.set(found.dt.year() < _FIRST_YEAR, None)
    if getattr(found.dtype, "time_zone", None):
        return found.dt.convert_time_zone("UTC")
    return found.to_frame("t").select(in_utc(pl.col("t"), zone)).to_series().alias(texts.name)


def epoch_moments(numbers: pl.Series, per_second: int) -> pl.Series:
    """Moments in UTC by what has passed since 1970-01-01T00:00:00Z."""
    micros = numbers.cast(pl.Float64) * (1_000_000 / per_second)
    # Within the years 1 to 9999, which is all that Python, Arrow and ISO 8601 agree on.
    micros = micros.set(~micros.is_between(-62_135_596_800e6, 253_402_300_799e6), None).round(0)
    return micros.cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
