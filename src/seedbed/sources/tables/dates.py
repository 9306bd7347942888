"""Dates that are none: what a database may hold and no calendar of ours."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from seedbed.core.rows import as_json
from seedbed.core.source import Parsed
from seedbed.sources.reading.blocks import Malformed, malformed_table

_FIRST, _LAST = 1, 9999


def out_of_range(rows: pl.DataFrame, records: pl.Series) -> Parsed:
    """The rows; those with a date before the year 1 or after 9999 (such as PostgreSQL's `infinity`) are malformed.

    Args:
        rows: As they were read.
        records: Their numbers.
    """
    bad: dict[int, str] = {}
    for name, kind in rows.schema.items():
        if kind in (pl.Date, pl.Datetime):
            bad |= dict.fromkeys(_wrong(rows[name]), name)
    if not bad:
        return Parsed(rows, records)
    keep = ~pl.int_range(rows.height, eager=True).is_in(sorted(bad))
    found = [_told(rows, place, name, int(records[place])) for place, name in bad.items()]
    return Parsed(rows.filter(keep), records.filter(keep), malformed_table(found))


def _wrong(column: pl.Series) -> list[int]:
    if column.dtype == pl.Date:
        low, high = pl.lit(date(_FIRST, 1, 1)), pl.lit(date(_LAST, 12, 31))
    else:
        zone = getattr(column.dtype, "time_zone", None)
        ends = (datetime(_FIRST, 1, 1), datetime(_LAST, 12, 31, 23, 59, 59, 999_999))
        low, high = (pl.lit(end).cast(pl.Datetime("us")).dt.replace_time_zone(zone) for end in ends)
    inside = column.to_frame("t").select(pl.col("t").is_between(low, high).fill_null(True))["t"]
    return list((~inside).arg_true())


def _told(rows: pl.DataFrame, place: int, name: str, record: int) -> Malformed:
    row = rows[place].drop([column for column, kind in rows.schema.items() if kind.is_temporal()])
    raw = as_json(row)[0] if row.width else "{}"
    return Malformed(record, record, "no_date", {"column": name, "years": f"{_FIRST} to {_LAST}"}, raw)
