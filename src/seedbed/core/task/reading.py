"""Values as they came, a row at a time: lists and objects, whether they are such or stand in a text as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

#: From the values of a row's columns to the columns that are written.
Read = Callable[..., Mapping[str, Any]]


class Unreadable(Exception):
    """A row cannot be used.

    Attributes:
        reason: For the ledger.
        evidence: Facts for it.
    """

    def __init__(self, reason: str, **evidence: Any) -> None:
        self.reason, self.evidence = reason, evidence
        super().__init__(reason)


def read_each(
    columns: Sequence[str],
    read: Read,
    written: Mapping[str, pl.DataType | type[pl.DataType]],
    told: Mapping[str, pl.DataType | type[pl.DataType]],
) -> pl.Expr:
    """The work of a task that reads rows one by one.

    Args:
        columns: Whose values `read` gets, in this order.
        read: Gives the columns written, or raises `Unreadable`.
        written: Their types, by name.
        told: Types of the evidence, by name.

    Returns:
        A struct of `reason`, `evidence` and `columns`.
    """
    names = list(dict.fromkeys(columns))
    places = [names.index(name) for name in columns]
    fields: dict[str, Any] = {"reason": pl.String, "columns": pl.Struct(dict(written))}
    dtype = pl.Struct(fields | ({"evidence": pl.Struct(dict(told))} if told else {}))
    nothing = dict.fromkeys(written)

    def each(rows: pl.Series) -> pl.Series:
        values = [column.to_list() for column in rows.struct.unnest().get_columns()]
        found: list[dict[str, Any]] = []
        for row in zip(*(values[place] for place in places), strict=True):
            try:
                found.append({"reason": None, "evidence": None, "columns": read(*row)})
            except Unreadable as verdict:
                evidence = {name: verdict.evidence.get(name) for name in told}
                found.append({"reason": verdict.reason, "evidence": evidence, "columns": nothing})
        return pl.Series(found, dtype=dtype)

    return pl.struct(names).map_batches(each, return_dtype=dtype, is_elementwise=True)


def parsed(value: Any, reason: str) -> Any:
    """A value, or what the JSON in a text says.

    Raises:
        Unreadable: The text is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise Unreadable(reason) from None


def listed(value: Any, reason: str) -> list[Any]:
    """A list, or the JSON list in a text.

    Raises:
        Unreadable: It is neither.
    """
    found = parsed(value, reason)
    if not isinstance(found, list):
        raise Unreadable(reason)
    return found


def says_something(text: Any) -> bool:
    """Whether a text has a character that is no white space."""
    return isinstance(text, str) and bool(text.strip())
