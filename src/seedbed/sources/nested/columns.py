"""From JSON values to columns: which types columns have, which values fit them, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.ledger import mask

#: Keys of one record, and columns of a source: more look like data.
MOST_COLUMNS = 2_000
#: Bytes of records that types are learned from.
SAMPLE = 1 << 20
#: Keys without a column that a block names one by one.
_MOST_UNSEEN = 20

Kind = Literal["string", "integer", "number", "boolean"]
Faults = dict[int, tuple[str, dict[str, Any]]]

_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_PLAIN: dict[pl.DataType, set[type]] = {
    pl.String(): {str, type(None)},
    pl.Int64(): {int, type(None)},
    pl.Float64(): {float, type(None)},
    pl.Boolean(): {bool, type(None)},
}


@dataclass
class Kinds:
    """Which kinds of values records were seen to hold, by column."""

    seen: dict[str, set[type]] = field(default_factory=dict)
    most: int = 0
    """Keys of the largest record that was refused for having too many."""

    def note(self, row: dict[str, Any]) -> None:
        """Take a record into account."""
        for name, value in row.items():
            kind = type(value)
            # Beyond 64 bits with a sign, a whole number does not fit its column.
            self.seen.setdefault(name, set()).add(dict if kind is int and not _fits(value) else kind)

    def schema(self, types: dict[str, Kind], *, at: str) -> pl.Schema:
        """The columns; `types` overrules what was seen.

        Raises:
            DataError: There are none, or so many that the keys must be data.
        """
        found = {name: _type_of(seen) for name, seen in self.seen.items()}
        found.update({name: _TYPES[kind] for name, kind in types.items()})
        if not found and not self.most:
            raise DataError("holds no object with a key", at=at, hint="is this the right file?")
        if not found or len(found) > MOST_COLUMNS:
            raise DataError(
                f"would have {len(found) or self.most:,} columns: the objects' keys look like data",
                at=at,
                hint='put them under one key, as in {"values": {…}}',
            )
        return pl.Schema(found)


def _fits(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 63


def _type_of(seen: set[type]) -> pl.DataType:
    kinds = seen - {type(None)}
    if kinds == {int}:
        return pl.Int64()
    if kinds and kinds <= {int, float}:
        return pl.Float64()
    return pl.Boolean() if kinds == {bool} else pl.String()


def kind_of(value: Any) -> str:
    """What JSON calls a value's kind."""
    names = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
    return names.get(type(value), "null")


def fitting(rows: list[dict[str, Any]], schema: pl.Schema) -> tuple[pl.DataFrame, Faults]:
    """The rows whose values fit the schema, and what is wrong with the others by their place."""
    bad: Faults = {}
    columns: dict[str, pl.Series] = {}
    for name, dtype in schema.items():
        values = [row.get(name) for row in rows]
        try:
            if not set(map(type, values)) <= _PLAIN[dtype]:
                raise TypeError
            columns[name] = pl.Series(name, values, dtype=dtype)
        except (TypeError, OverflowError):
            for place, value in enumerate(values):
                try:
                    values[place] = _fitted(value, dtype)
                except TypeError:
                    values[place] = None
                    evidence = {"key": name, "expected": _NAMES[dtype], "found": kind_of(value)}
                    bad.setdefault(place, ("wrong_type", evidence))
            columns[name] = pl.Series(name, values, dtype=dtype)
    table = pl.DataFrame(columns, schema=schema)
    if bad:
        table = table.filter(~pl.int_range(pl.len()).is_in(list(bad)))
    return table, bad


def _fitted(value: Any, dtype: pl.DataType) -> Any:
    """The value as its column holds it; `TypeError` if it cannot."""
    kind = type(value)
    if kind in _PLAIN[dtype] and (kind is not int or _fits(value)):
        return value
    if dtype == pl.String():
        return orjson.dumps(value).decode()
    if dtype == pl.Float64() and kind is int:
        return float(value)
    raise TypeError


def unseen(rows: Iterable[dict[str, Any]], schema: pl.Schema) -> dict[str, int]:
    """Rows by remark on a key that is no column; beyond so many keys, together."""
    known, counts, others = set(schema.names()), dict[str, int](), 0
    for row in rows:
        if row.keys() <= known:
            continue
        for name in sorted(row.keys() - known):
            if name in counts or len(counts) < _MOST_UNSEEN:
                counts[name] = counts.get(name, 0) + 1
            else:
                others += 1
    said = "is no column: the first MiB did not show it"
    told = {f"the key {mask(name[:100])!r} {said}": n for name, n in sorted(counts.items())}
    return told | ({f"another key {said}": others} if others else {})
