"""XML pages: their elements as values that JSON has, for paths to lead through, and the elements that are records."""

from __future__ import annotations

from typing import Any

from seedbed.core.errors import DataError
from seedbed.sources.markup.document import local, matches, names_of, safe
from seedbed.sources.nested.columns import MOST_COLUMNS


class Tree(dict[str, Any]):
    """The root element as an object: attributes as `@name`, children by their local names, several as a list.

    An element without attributes and children is its text; where it has them, its text is `#text`.

    Attributes:
        root: The element itself.

    Raises:
        DataError: An element has more attributes than any honest one.
    """

    def __init__(self, root: Any) -> None:
        found = value_of(root)
        super().__init__(found if isinstance(found, dict) else {"#text": found})
        self.root = root

    @property
    def name(self) -> str:
        """Local name of the root element."""
        return local(self.root.tag)


def tree_of(body: bytes, *, of: str) -> Tree:
    """An XML page. Nothing is expanded or fetched.

    Args:
        body: The document.
        of: What it is, for messages.

    Raises:
        DataError: It is no XML, declares entities, or asks for too much.
    """
    from lxml import etree

    try:
        root = etree.fromstring(body, etree.XMLParser(**safe()))
    except etree.XMLSyntaxError as error:
        said = str(error.msg).partition(", line ")[0][:120]
        hint = "is it the right address? `format: json` reads JSON"
        raise DataError(f"{of} is no XML ({said}, line {error.lineno})", hint=hint) from None
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and next(iter(declared.iterentities()), None) is not None:
        raise DataError(f"{of} declares entities, which are not read: they may stand for each other without end")
    return Tree(root)


def elements_at(root: Any, path: str) -> list[Any]:
    """The elements that are records, as the source `xml` has it: `item`, `channel/item` or `/rss/channel/item`.

    What is inside one of them is part of it.
    """
    wanted = path.rpartition("/")[2].rpartition(":")[2]
    found: list[Any] = []
    inside = None
    for event, element in _walked(root):
        if inside is None and event == "start" and local(element.tag) == wanted and matches(path, names_of(element)):
            inside = element
            found.append(element)
        elif event == "end" and element is inside:
            inside = None
    return found


def _walked(root: Any) -> Any:
    from lxml import etree

    return etree.iterwalk(root, events=("start", "end"))


def value_of(element: Any) -> Any:
    """An element as `Tree` has it."""
    if len(element.attrib) > MOST_COLUMNS:  # lxml takes the square of their number to tell them
        raise DataError(f"an element of the page has {len(element.attrib):,} attributes", hint="is it a trap?")
    found: dict[str, Any] = {f"@{local(name)}": value for name, value in element.attrib.items()}
    texts = [element.text]
    for child in element:
        texts.append(child.tail)
        if not isinstance(child.tag, str):  # a reference to an entity that nobody declared
            continue
        name, value = local(child.tag), value_of(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    text = " ".join(filter(None, ((one or "").strip() for one in texts)))
    if not found:
        return text or None
    return {**found, "#text": text} if text else found
