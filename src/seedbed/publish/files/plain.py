"""Values in plain terms: what JSON can say of any column, by the rules of Protocol Buffers' JSON mapping if it has one.

Bytes are base64, points in time ISO 8601 with their offset, whole numbers beyond 64 bits and decimals are texts, spans
of time are counted in their unit. Numbers that are none read `"NaN"`, `"Infinity"`, `"-Infinity"`. The schema beside
the file says what they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from seedbed.core.errors import DataError

_DIGITS = {"ms": "%.3f", "us": "%.6f", "ns": "%.9f"}
_TEXTS = (pl.Int128, pl.UInt128, pl.Decimal, pl.Categorical, pl.Enum)
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def is_plain(kind: pl.DataType, *, binary: bool = False) -> bool:
    """Whether values of a type stay as they are; `binary` says that bytes do."""
    match kind:
        case pl.List():
            return is_plain(inner_of(kind), binary=binary)
        case pl.Struct():
            return all(is_plain(kind_of(one.dtype), binary=binary) for one in kind.fields)
        case pl.Array() | pl.Date() | pl.Time() | pl.Datetime() | pl.Duration():
            return False
    return not isinstance(kind, _TEXTS) and (binary or not isinstance(kind, pl.Binary))


def plain_kind(kind: pl.DataType, *, binary: bool = False) -> pl.DataType:
    """The type that values of a type have in plain terms."""
    if is_plain(kind, binary=binary):
        return kind
    match kind:
        case pl.List() | pl.Array():
            return pl.List(plain_kind(inner_of(kind), binary=binary))
        case pl.Struct():
            return pl.Struct({one.name: plain_kind(kind_of(one.dtype), binary=binary) for one in kind.fields})
        case pl.Duration():
            return pl.Int64()
    return pl.String()


def plain(rows: pl.DataFrame, *, binary: bool = False) -> pl.DataFrame:
    """Rows in plain terms."""
    return pl.DataFrame([_applied(_to, column, column.dtype, binary) for column in rows])


def typed(rows: pl.DataFrame, schema: pl.Schema, *, binary: bool = False) -> pl.DataFrame:
    """Rows as they were before `plain`."""
    return pl.DataFrame([_applied(_from, rows[name], kind, binary) for name, kind in schema.items()])


def _applied(change: Any, column: pl.Series, kind: pl.DataType, binary: bool) -> pl.Series:
    if is_plain(kind, binary=binary):
        return column
    # Under a name of our own: to an expression a column called `*` would mean all of them.
    named = column.alias("v").to_frame()
    changed = named.select(change(pl.col("v"), kind, binary).alias("v"))["v"]
    return changed.alias(column.name)


def _to(value: pl.Expr, kind: pl.DataType, binary: bool) -> pl.Expr:  # noqa: PLR0911 (a case a type)
    if is_plain(kind, binary=binary):
        return value
    match kind:
        case pl.List():
            return value.list.eval(_to(pl.element(), inner_of(kind), binary))
        case pl.Array():
            return _to(value.arr.to_list(), pl.List(inner_of(kind)), binary)
        case pl.Struct():
            return _struct(value, kind, binary, _to)
        case pl.Datetime():
            pattern = f"%Y-%m-%dT%H:%M:%S{_DIGITS[kind.time_unit]}"
            return _zoned(value, f"{pattern}%:z") if kind.time_zone else value.dt.strftime(pattern)
        case pl.Date():
            return value.dt.strftime("%Y-%m-%d")
        case pl.Time():
            return value.dt.strftime("%H:%M:%S%.9f")
        case pl.Duration():
            return value.to_physical()
        case pl.Binary():
            return value.bin.encode("base64")
    return value.cast(pl.String)


def _zoned(value: pl.Expr, pattern: str) -> pl.Expr:
    """Points in time with their offset; in UTC where that has seconds, as before about 1900: ISO 8601 has none."""
    offset = value.dt.base_utc_offset() + value.dt.dst_offset()
    whole = offset.dt.total_seconds() % 60 == 0
    in_utc = value.dt.convert_time_zone("UTC").dt.strftime(pattern)
    return pl.when(whole).then(value.dt.strftime(pattern)).otherwise(in_utc)


def _from(value: pl.Expr, kind: pl.DataType, binary: bool) -> pl.Expr:  # noqa: PLR0911 (a case a type)
    if is_plain(kind, binary=binary):
        return value
    match kind:
        case pl.List():
            return value.list.eval(_from(pl.element(), inner_of(kind), binary))
        case pl.Array():
            return _from(value, pl.List(inner_of(kind)), binary).cast(kind)
        case pl.Struct():
            return _struct(value, kind, binary, _from)
        case pl.Datetime():
            unit, zone = kind.time_unit, kind.time_zone
            pattern = f"%Y-%m-%dT%H:%M:%S%.f{'%:z' if zone else ''}"
            found = value.str.to_datetime(pattern, time_unit=unit, strict=True)
            return found.dt.convert_time_zone(zone) if zone else found
        case pl.Date():
            return value.str.to_date("%Y-%m-%d")
        case pl.Time():
            return value.str.to_time("%H:%M:%S%.f")
        case pl.Binary():
            return value.str.decode("base64")
    return value.cast(kind)


def _struct(value: pl.Expr, kind: pl.Struct, binary: bool, change: Any) -> pl.Expr:
    fields = [change(value.struct.field(one.name), one.dtype, binary).alias(one.name) for one in kind.fields]
    return pl.when(value.is_not_null()).then(pl.struct(fields))


def inner_of(kind: pl.List | pl.Array) -> pl.DataType:
    """The type of what is in a list."""
    return kind_of(kind.inner)


def kind_of(kind: Any) -> pl.DataType:
    """A type that Polars tells by its class alone, as others."""
    found: pl.DataType = kind() if isinstance(kind, type) else kind
    return found


def holds_floats(kind: pl.DataType) -> bool:
    """Whether a value of a type may be, or hold, a number that is none."""
    match kind:
        case pl.List() | pl.Array():
            return holds_floats(inner_of(kind))
        case pl.Struct():
            return any(holds_floats(kind_of(one.dtype)) for one in kind.fields)
    return kind.is_float()


def values(column: pl.Series) -> list[Any]:
    """Values of a plain column that any JSON writer can write."""
    found = column.to_list()
    # Under a name of our own, as in `_applied`.
    if not holds_floats(column.dtype) or (column.dtype.is_float() and column.alias("v").is_finite().all()):
        return found
    return [_said(value) for value in found]


def _said(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case list():
            return [_said(one) for one in value]
        case dict():
            return {name: _said(one) for name, one in value.items()}
    return value


def _heard(value: Any, kind: pl.DataType) -> Any:
    """A value of JSON with the numbers that are none; texts are not taken for them."""
    if value is None or not holds_floats(kind):
        return value
    match kind:
        case pl.List():
            return [_heard(one, inner_of(kind)) for one in value]
        case pl.Struct():
            return {one.name: _heard(value.get(one.name), kind_of(one.dtype)) for one in kind.fields}
    return _NOT_FINITE[value] if isinstance(value, str) else float(value)


def records(rows: pl.DataFrame) -> Iterable[dict[str, Any]]:
    """Rows as dictionaries that any JSON writer can write."""
    named = plain(rows)
    names = named.columns
    return (dict(zip(names, row, strict=True)) for row in zip(*(values(one) for one in named), strict=True))


def frame_of(found: Sequence[dict[str, Any]], schema: pl.Schema, *, at: str) -> pl.DataFrame:
    """Rows of `records` again.

    Raises:
        DataError: They are not what the schema says.
    """
    columns = {name: [one.get(name) for one in found] for name in schema}
    return frame_of_columns(columns, schema, at=at)


def frame_of_columns(
    columns: dict[str, list[Any]], schema: pl.Schema, *, at: str, binary: bool = False
) -> pl.DataFrame:
    """Rows of plain values by column.

    Raises:
        DataError: They are not what the schema says.
    """
    try:
        told = []
        for name, kind in schema.items():
            own = plain_kind(kind, binary=binary)
            heard = [_heard(value, own) for value in columns[name]] if holds_floats(own) else columns[name]
            told.append(pl.Series(name, heard, dtype=own, strict=True))
        return typed(pl.DataFrame(told), schema, binary=binary)
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError, pl.exceptions.PolarsError) as error:
        said = (str(error).splitlines() or [""])[0][:160]
        raise DataError(f"is not what the schema beside it says: {said}", at=at) from None
