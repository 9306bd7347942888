"""Lists of links with their relations, as Atom, HAL's relatives and FHIR have them."""

from __future__ import annotations

from typing import Any

_RELATIONS = ("rel", "@rel", "relation")
_ADDRESSES = ("href", "@href", "url", "uri")


def related(value: Any, rel: str = "next") -> str:
    """The address of the link of a relation; empty where there is none.

    Args:
        value: A link, or a list of links: objects with `rel` (or `relation`) and `href` (or `url`).
        rel: The relation.
    """
    for one in value if isinstance(value, list) else [value]:
        if is_link(one) and rel in str(_first(one, _RELATIONS)).lower().split():
            return str(_first(one, _ADDRESSES))
    return ""


def is_link(value: Any) -> bool:
    """Whether a value is an object that says where it leads, and how that is related to the answer."""
    return isinstance(value, dict) and isinstance(_first(value, _RELATIONS), str) and bool(_first(value, _ADDRESSES))


def _first(value: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if name in value), None)
