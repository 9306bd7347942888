"""A section that may hold one part, or a list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def one_or_several(value: Any) -> Any:
    """Take one part as a list of one. Places of faults leave out what a recipe does not say, such as its 0."""
    return [value] if isinstance(value, Mapping | str) else value


def told_as_one_or_several(schema: dict[str, Any]) -> None:
    """For `json_schema_extra`: editors take one, too."""
    items = schema.pop("items")
    schema.pop("type")
    schema["anyOf"] = [items, {"type": "array", "items": items}]
