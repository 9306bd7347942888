"""Types of columns as a run's record names them, taken apart: what lists hold, and what fields structs have."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plain:
    """A type that holds no other, by its name."""

    name: str


@dataclass(frozen=True)
class ListOf:
    """A list."""

    inner: Kind


@dataclass(frozen=True)
class StructOf:
    """A struct with named fields."""

    fields: tuple[tuple[str, Kind], ...]


Kind = Plain | ListOf | StructOf


def kind_of(told: str) -> Kind:
    """What a column holds, from its type as Polars writes it (`List(Struct({'text': String, 'start': Int64}))`)."""
    try:
        return _kind(ast.parse(told, mode="eval").body, told)
    except SyntaxError:
        return Plain(told)


def _kind(node: Any, told: str) -> Kind:
    match node:
        case ast.Call(func=ast.Name(id="List"), args=[inner]):
            return ListOf(_kind(inner, told))
        case ast.Call(func=ast.Name(id="Struct"), args=[ast.Dict(keys=keys, values=kinds)]):
            named = [(key.value, _kind(kind, told)) for key, kind in zip(keys, kinds, strict=True)]  # type: ignore[union-attr]
            return StructOf(tuple(named))
    return Plain(ast.get_source_segment(told, node) or told)
