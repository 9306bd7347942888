"""`--set train.1.c=4`: values that replace those of a recipe, from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seedbed.core.documents import KeyPath, read_document
from seedbed.core.errors import RecipeError, did_you_mean

from .faults import shown


def key_path(text: str) -> KeyPath:
    """The path that `train.1.c` means."""
    return tuple(int(key) if key.isdecimal() else key for key in text.split("."))


def overridden(data: dict[str, Any], overrides: Sequence[str]) -> dict[KeyPath, str]:
    """Put `PATH=VALUE` texts into a recipe's data (in place), values read as YAML; where each went, and its text.

    Raises:
        RecipeError: One is not `PATH=VALUE`, or its path leads nowhere.
    """
    places = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        at = f"--set {text}"
        if not equals or not name.strip(".") or "" in name.split("."):
            raise RecipeError("is not PATH=VALUE", at=at, hint="for instance --set train.1.c=4")
        path = key_path(name)
        _put(data, path, read_document(value, at=at).data, at)
        places[path] = at
    return places


def _put(data: dict[str, Any], path: KeyPath, value: Any, at: str) -> None:
    here: Any = data
    for i, key in enumerate(path):
        last = i == len(path) - 1
        before = ".".join(map(str, path[:i])) or "the recipe"
        if isinstance(here, list):
            if not isinstance(key, int) or key >= len(here):
                raise RecipeError(f"{before} has no item {key!r}", at=at, hint=_items(here))
        elif isinstance(here, dict):
            key = str(key)
            if not last and here.get(key) is None:
                # Only sections may be made on the way, and the recipe's rules decide whether such keys exist.
                if isinstance(path[i + 1], int):
                    raise RecipeError(f"{before} has no {key!r}", at=at, hint=did_you_mean(key, here))
                here[key] = {}
        else:
            raise RecipeError(
                f"{before} is {shown(here)}, so nothing stands below it", at=at, hint="end the path there"
            )
        if last:
            here[key] = value
        here = here[key]


def _items(items: list[Any]) -> str:
    if not items:
        return "it is empty"
    named = [
        f"{i} {item['use']}" if isinstance(item, dict) and "use" in item else str(i) for i, item in enumerate(items)
    ]
    return f"items: {', '.join(named[:12])}"
