"""Objects inside a record become columns of their own, under one rule for every source."""

from __future__ import annotations

from typing import Any

#: Levels of objects inside a record that become columns, unless the recipe says otherwise.
DEPTH = 5


class SameColumnError(Exception):
    """Two fields of a record would be one column: `{"a.b": 1, "a": {"b": 2}}`."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(column)


def flattened(row: dict[str, Any], depth: int) -> dict[str, Any]:
    """The record with its inner objects as `OUTER.INNER`, to so many levels.

    Raises:
        SameColumnError: Two of its fields have the same name then.
    """
    if not depth or not any(type(value) is dict for value in row.values()):
        return row
    flat: dict[str, Any] = {}
    _put(flat, "", row, depth)
    return flat


def _put(flat: dict[str, Any], before: str, row: dict[str, Any], depth: int) -> None:
    for name, value in row.items():
        if depth and type(value) is dict:
            _put(flat, f"{before}{name}.", value, depth - 1)
        elif before + name in flat:
            raise SameColumnError(before + name)
        else:
            flat[before + name] = value
