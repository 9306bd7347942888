"""Types of columns in JSON, and back: what a schema beside a file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from seedbed.core.errors import DataError

_SIMPLE: dict[str, pl.DataType] = {
    str(kind): kind
    for kind in (
        pl.String(), pl.Boolean(), pl.Binary(), pl.Date(), pl.Time(), pl.Null(), pl.Float32(), pl.Float64(),
        pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.Int128(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(),
    )
}  # fmt: skip


def told(kind: Any) -> Any:  # noqa: PLR0911 (a case a type)
    """A type as JSON: its name, or what it is made of.

    Raises:
        DataError: It holds objects of Python, or is one that nothing here knows.
    """
    match kind:
        case pl.List():
            return {"list": told(kind.inner)}
        case pl.Array():
            return {"array": told(kind.inner), "size": kind.size}
        case pl.Struct():
            return {"struct": {one.name: told(one.dtype) for one in kind.fields}}
        case pl.Datetime():
            return {"datetime": kind.time_unit, "zone": kind.time_zone}
        case pl.Duration():
            return {"duration": kind.time_unit}
        case pl.Decimal():
            return {"decimal": kind.precision, "scale": kind.scale}
        case pl.Enum():
            return {"enum": kind.categories.to_list()}
        case pl.Categorical():
            return "String"
        case _ if str(kind) in _SIMPLE:
            return str(kind)
    raise DataError(f"columns of type {kind} cannot be written", hint="leave the column out, or cast it")


def meant(found: Any) -> pl.DataType:  # noqa: PLR0911 (a case a type)
    """The type that `told` told of.

    Raises:
        DataError: It tells of none.
    """
    match found:
        case str() if found in _SIMPLE:
            return _SIMPLE[found]
        case {"list": inner}:
            return pl.List(meant(inner))
        case {"array": inner, "size": int(size)}:
            return pl.Array(meant(inner), size)
        case {"struct": dict(fields)}:
            return pl.Struct({name: meant(one) for name, one in fields.items()})
        case {"datetime": ("ms" | "us" | "ns") as unit, "zone": zone}:
            return pl.Datetime(unit, zone)
        case {"duration": ("ms" | "us" | "ns") as unit}:
            return pl.Duration(unit)
        case {"decimal": precision, "scale": int(scale)}:
            return pl.Decimal(precision, scale)
        case {"enum": list(categories)}:
            return pl.Enum(categories)
    raise DataError(f"{str(found)[:80]!r} is no type of a column")


def schema_told(schema: Mapping[str, pl.DataType]) -> list[dict[str, Any]]:
    """Columns in order, as JSON.

    Raises:
        DataError: A column is of a type that cannot be written.
    """
    fields = []
    for name, kind in schema.items():
        try:
            fields.append({"name": name, "type": told(kind)})
        except DataError as error:
            raise DataError(error.problem, at=f"column {name[:80]!r}", hint=error.hint) from None
    return fields


def schema_meant(fields: Any) -> pl.Schema:
    """The schema that `schema_told` told of.

    Raises:
        DataError: It tells of none.
    """
    try:
        return pl.Schema({str(one["name"]): meant(one["type"]) for one in fields})
    except (TypeError, KeyError):
        raise DataError("is no schema of Seedbed's") from None
