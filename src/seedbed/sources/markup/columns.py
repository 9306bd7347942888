"""One element as a row: attributes and children are columns, under the rule that JSON's objects follow."""

from __future__ import annotations

import html.entities
import re
from collections import Counter
from functools import cache
from typing import Any

import orjson

from seedbed.sources.nested.columns import MOST_COLUMNS
from seedbed.sources.nested.objects import FaultError

from .document import safe

_ENTITY = re.compile(rb"&([A-Za-z][\w.-]*);")
_KNOWN = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))


def element_of(data: bytes) -> Any:
    """The element of a record's bytes.

    Raises:
        FaultError: `unknown_entity`, or `not_xml`.
    """
    from lxml import etree

    try:
        return etree.fromstring(_ENTITY.sub(_expanded, data) if b"&" in data else data, _parser())
    except etree.XMLSyntaxError as error:
        raise FaultError("not_xml", error=str(error.msg)[:200]) from None


@cache
def _parser() -> Any:
    from lxml import etree

    return etree.XMLParser(**safe())


def _expanded(found: re.Match[bytes]) -> bytes:
    """A reference to a character that HTML names, as the character."""
    if found[1] in _KNOWN:
        return found[0]
    named = html.entities.html5.get(f"{found[1].decode()};")
    if named is None:
        raise FaultError("unknown_entity", entity=found[1].decode()[:50])
    return named.encode()


class Row:
    """An element as a row.

    Args:
        element: The record.
        depth: Levels of elements inside it that become columns.
        lists: Columns that repeat in some record: they are lists in all.

    Attributes:
        fields: Its columns.
        repeated: Columns that repeat in it.

    Raises:
        FaultError: `same_column` or `too_many_keys`.
    """

    def __init__(self, element: Any, depth: int, lists: frozenset[str] = frozenset()) -> None:
        self.fields: dict[str, str] = {}
        self.repeated: set[str] = set()
        self._space, self._lists = _space(element), lists
        self._put("", element, depth)

    def _put(self, name: str, element: Any, depth: int) -> None:
        inside = f"{name}." if name else ""
        for key, value in _attributes(element):
            self._add(f"{inside}@{self._called(key, element)}", value)
        if (text := _text(element)) is not None:
            self._add(name or self._called(element.tag, element), text)
            return
        children = [(self._called(child.tag, child), child) for child in element]
        counts = Counter(called for called, _ in children)
        for called, child in children:
            column = inside + called
            if counts[called] > 1:
                self.repeated.add(column)
            if counts[called] > 1 or column in self._lists:
                if column not in self.fields:
                    found = [self._plain(other) for same, other in children if same == called]
                    self._add(column, orjson.dumps(found).decode())
            elif _is_leaf(child):
                self._add(column, (child.text or "").strip())
            elif depth > 0:
                self._put(column, child, depth - 1)
            else:
                self._add(column, orjson.dumps(self._plain(child)).decode())

    def _add(self, column: str, value: str) -> None:
        if column in self.fields:
            raise FaultError("same_column", key=column)
        self.fields[column] = value
        if len(self.fields) > MOST_COLUMNS:
            raise FaultError("too_many_keys", limit=MOST_COLUMNS)

    def _plain(self, element: Any) -> Any:
        """An element as JSON."""
        text = _text(element)
        if _is_leaf(element):
            return text or None
        found: dict[str, Any] = {f"@{self._called(key, element)}": value for key, value in _attributes(element)}
        if text is not None:
            return found | ({"#text": text} if text else {})
        for child in element:
            called, value = self._called(child.tag, child), self._plain(child)
            if called in found:
                before = found[called]
                found[called] = [*(before if isinstance(before, list) else [before]), value]
            else:
                found[called] = value
        return found

    def _called(self, tag: str, element: Any) -> str:
        """The name of an element or attribute; with its prefix, if its namespace is another than the record's."""
        if "}" not in tag:
            return tag
        space, _, name = tag.rpartition("}")
        space = space.lstrip("{")
        if not space or space == self._space:
            return name
        prefix = element.prefix if tag == element.tag else _prefix(space, element)
        return f"{prefix}:{name}" if prefix else name


def _attributes(element: Any) -> list[tuple[str, str]]:
    """Names and values of an element's attributes; lxml takes the square of their number to tell them.

    Raises:
        FaultError: `too_many_keys`.
    """
    if len(element.attrib) > MOST_COLUMNS:
        raise FaultError("too_many_keys", limit=MOST_COLUMNS)
    return list(element.attrib.items())


def _prefix(space: str, element: Any) -> str:
    return next((prefix for prefix, known in element.nsmap.items() if known == space and prefix), "xml")


def _space(element: Any) -> str:
    return str(element.tag).rpartition("}")[0].lstrip("{")


def _is_leaf(element: Any) -> bool:
    return not len(element) and not element.attrib


def _text(element: Any) -> str | None:
    """The text of an element that holds no others, or holds them amid text; none of one that only holds others."""
    if not len(element):
        return (element.text or "").strip()
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        return "".join(element.itertext()).strip()
    return None
