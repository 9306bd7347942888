"""What stands where in an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seedbed.core.errors import DataError, did_you_mean

from .links import is_link

#: Levels that are searched where no path is given.
_DEPTH = 3
_PLACE = re.compile(r"(-?\d{1,9})(?:\.(.*))?")


class Missing:
    """Nothing is there; null is something."""


def at(document: Any, path: str) -> Any:
    """The value at a path of dotted keys; `*` is every element of a list, or every value of an object; a number is
    the element of a list at that place, counted from its end where it is negative.

    A key that has dots itself is found, too. `Missing` where the path leads nowhere.
    """
    if not path:
        return document
    if path == "*" or path.startswith("*."):
        values = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
        found = [at(value, path[2:]) for value in values]
        parts = (one if isinstance(one, list) and path[2:] else [one] for one in found if one is not Missing)
        return [value for part in parts for value in part]
    if not isinstance(document, dict):
        return _at_place(document, path) if isinstance(document, list) else Missing
    if path in document:
        return document[path]
    for place, letter in enumerate(path):
        if letter == "." and path[:place] in document:
            found = at(document[path[:place]], path[place + 1 :])
            if found is not Missing:
                return found
    return Missing


def _at_place(values: list[Any], path: str) -> Any:
    placed = _PLACE.fullmatch(path)
    if placed is None or not -len(values) <= int(placed[1]) < len(values):
        return Missing
    return at(values[int(placed[1])], placed[2] or "")


def records_at(document: Any, path: str, *, of: str) -> list[Any]:
    """The records of a page: the elements of the list at a path, or the one value there; none where it is null.

    Args:
        document: The page.
        path: As `at` has it.
        of: The page, for messages.

    Raises:
        DataError: Nothing is there.
    """
    found = at(document, path)
    if found is Missing:
        raise DataError(f"{of} has nothing at the path {path!r}", hint=_keys(document, path))
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _keys(document: Any, wanted: str) -> str:
    if not isinstance(document, dict):
        return "the whole answer is a list: leave `records` out"
    return did_you_mean(wanted, [path for path, _, _ in _below(document, "", 1)], show=8)


def found_records(document: Any, *, of: str, alone: bool = True) -> str:
    """The path of the records where none is given: the document that is a list, else the list of objects in it that
    lies least deep, else the document by itself.

    Args:
        document: A page.
        of: The page, for messages.
        alone: Whether a document without such a list may be one record.

    Raises:
        DataError: There are several lists, or none where one is needed.
    """
    if not isinstance(document, dict):
        return ""
    below = [(path, value, depth) for path, value, depth in _below(document, "", 1) if isinstance(value, list)]
    good = [(depth, path) for path, value, depth in below if _may_be_records(value)]
    good = good or [(depth, path) for path, value, depth in below if not value]
    least = [path for depth, path in good if depth == min(good)[0]]
    if len(least) > 1:
        raise DataError(
            f"{of} has several lists: {', '.join(least[:6])}", hint=f"say which it is, such as records: {least[-1]}"
        )
    if not least and not alone:
        raise DataError(f"{of} has no element that is there several times", hint="say where they are: `records`")
    return least[0] if least else ""


def _may_be_records(value: list[Any]) -> bool:
    """Whether it is a list of objects that are more than links to other pages."""
    return bool(value) and all(isinstance(one, dict) for one in value) and not all(is_link(one) for one in value)


def _below(document: dict[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    for name, value in list(document.items())[:1000]:
        yield before + name, value, depth
        if isinstance(value, dict) and depth < _DEPTH:
            yield from _below(value, f"{before}{name}.", depth + 1)
