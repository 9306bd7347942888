"""A table with every type of column, and in it what formats like to lose."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import polars as pl

from seedbed.core.exporter import Rows

TEXTS = [
    "a", "", None, 'x\ny,"q" \r\n z', "nul\0l", "=1+1", "-5", "'=x", "''", "ünï 👩‍👩‍👧", "\u2028\r", "＝x",
    "+1e3", "+a", "\t",
]  # fmt: skip
_N = len(TEXTS)


def _filled(head: list[object]) -> list[object]:
    """The head, and its first value until the end."""
    return [*head, *[head[0]] * (_N - len(head))]


KINDS = pl.DataFrame(
    [
        pl.Series("text", TEXTS),
        pl.Series("int", _filled([1, None, 2**63 - 1, -(2**63), 0]), dtype=pl.Int64),
        pl.Series("small", _filled([-128, None, 127]), dtype=pl.Int8),
        pl.Series("uint", _filled([2**64 - 1, None, 0]), dtype=pl.UInt64),
        pl.Series("huge", _filled([2**100, None, -5]), dtype=pl.Int128),
        pl.Series("float", _filled([1.5, math.nan, math.inf, -math.inf, None, -0.0, 1e-320, 0.1, 1e308])),
        pl.Series("float32", _filled([0.1, math.nan, math.inf, None]), dtype=pl.Float32),
        pl.Series("bool", _filled([True, None, False])),
        pl.Series("date", _filled([dt.date(2024, 1, 1), None, dt.date(1960, 2, 29)])),
        pl.Series("time", _filled([dt.time(1, 2, 3, 456), None, dt.time(23, 59, 59, 999999)])),
        pl.Series("moment", _filled([dt.datetime(2024, 1, 1, 1, 2, 3, 4), None, dt.datetime(1900, 1, 1)])),
        # The hour that comes twice when summer time ends, both times.
        pl.Series("zoned", _filled([1729985400_000_000, None, 1729989000_000_000]), dtype=pl.Int64)
        .cast(pl.Datetime("us", "UTC"))
        .dt.convert_time_zone("Europe/Oslo"),
        pl.Series("nano", _filled([1, None, 123456789123456789]), dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")),
        pl.Series("span", _filled([1, None, -5]), dtype=pl.Int64).cast(pl.Duration("us")),
        pl.Series("bytes", _filled([b"\xfb\x00", None, b""])),
        pl.Series("list", _filled([["a", None, ""], None, []])),
        pl.Series("floats", _filled([[1.0, math.nan], None, [], [math.inf]])),
        pl.Series("moments", _filled([[dt.datetime(2024, 1, 1)], None, [], [None]])),
        pl.Series(
            "struct",
            _filled([{"a": 1, "b": [{"c": math.nan, "d": b"x"}]}, None, {"a": None, "b": None}, {"a": 2, "b": []}]),
        ),
        pl.Series("nothing", [None] * _N),
        pl.Series("money", _filled(["1.10", None, "-5.25"])).cast(pl.Decimal(10, 2)),
        pl.Series("pair", _filled([[1, 2], None, [3, 4]]), dtype=pl.Array(pl.Int16, 2)),
        pl.Series("a,b\"c\n*", _filled(["odd name", None])),
        pl.Series("^.*$", _filled(["odder name", None])),
    ]
)  # fmt: skip


def rows_of(table: pl.DataFrame, **more: object) -> Rows:
    """A table as rows, in batches of different sizes, one of them empty."""

    def batches() -> Iterator[pl.DataFrame]:
        yield from (table[:4], table[4:4], table[4:])

    return Rows(table.schema, batches, **more)  # type: ignore[arg-type]
