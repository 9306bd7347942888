"""Cut an XML document into the elements that are records, as it streams by. Nothing is expanded, nothing is fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.errors import DataError
from seedbed.sources.reading.blocks import TooLong, kept
from seedbed.sources.reading.kinds import refuse_other
from seedbed.sources.reading.stream import Stream

_LOOK = 1 << 18
#: Bytes before the first element.
_LONGEST_HEAD = 1 << 20
#: What libxml2 says when it gives up on a document that would cost too much.
_LIMITS = ("Excessive depth", "Resource limit", "amplification", "entity loop", "XML_PARSE_HUGE")


@dataclass(frozen=True)
class Element:
    """A record: its bytes (UTF-8, the namespaces that it needs declared on it) and its line in the file."""

    line: int
    data: bytes


@dataclass(frozen=True)
class Huge:
    """A record too long to be held."""

    line: int
    held: TooLong


@dataclass(frozen=True)
class Broken:
    """Where the document stops being XML, or ends too early."""

    line: int
    reason: str
    """`cut_off` or `not_xml`."""
    error: str
    start: bytes


Found = Element | Huge | Broken


def safe(**options: Any) -> dict[str, Any]:
    """Options of a parser that expands, loads and fetches nothing, and that gives up on what would cost too much."""
    return {
        "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False, "huge_tree": False,
        "remove_comments": True, "remove_pis": True, **options,
    }  # fmt: skip


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def matches(path: str, names: list[str]) -> bool:
    """Whether an element, its own name last, is meant by `item`, `channel/item` or `/rss/channel/item`."""
    steps = [step.rpartition(":")[2] for step in path.strip("/").split("/")]
    if path.startswith("/"):
        return names == steps
    return names[-len(steps) :] == steps


def names_of(element: Any) -> list[str]:
    """Local names from the root to an element."""
    above = [local(one.tag) for one in element.iterancestors()]
    return [*reversed(above), local(element.tag)]


def root_of(url: str) -> str:
    """The local name of the root element.

    Raises:
        DataError: It is not XML, or its head declares entities.
    """
    from lxml import etree

    parser = etree.XMLPullParser(events=("start",), **safe())
    with Stream(url) as stream:
        read = 0
        while read < _LONGEST_HEAD:
            data = stream.read(1 << 12)
            if not read:
                refuse_other(data, at=url, wanted="an XML document", markup=True)
            read += len(data)
            error = _fed(parser, data) if data else _closed(parser) if read else None
            for _, root in parser.read_events():
                _refuse_entities(root, url)
                return local(str(root.tag))
            if error is not None:
                raise _refused(error, url)
            if not data:
                break
    if not read:
        raise DataError("is empty", at=url, hint="is this the right file?")
    raise DataError(f"has no element in its first {read:,} bytes", at=url, hint="is this the right file?")


def _refuse_entities(root: Any, url: str) -> None:
    declared = root.getroottree().docinfo.internalDTD
    names = [entity.name for entity in declared.iterentities()] if declared is not None else []
    if names:
        shown = ", ".join(name[:30] for name in names[:3])
        raise DataError(
            f"declares entities ({shown}), which are not read: they can stand for whole files, or for each other "
            "without end",
            at=url,
            hint="if you trust the file, expand them first (xmllint --noent FILE)",
        )


def _fed(parser: Any, data: bytes) -> Any:
    """Feed a parser; its error, if there is one."""
    from lxml import etree

    try:
        parser.feed(data)
    except etree.XMLSyntaxError as error:
        return error
    return None


def _closed(parser: Any) -> Any:
    """Tell a parser that there is no more; its error, if there is one."""
    from lxml import etree

    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        return error
    return None


def _refused(error: Any, url: str) -> DataError:
    said = _said(error)
    line = error.position[0]
    at = f"{url}, line {line}" if line else url
    if any(limit in said for limit in _LIMITS):
        return DataError(
            f"asks for too much: {said}", at=at, hint="256 levels, 10 MB a text, no entities: is it a trap?"
        )
    return DataError(f"is not XML: {said}", at=at, hint="for web pages, use: html")


def _said(error: Any) -> str:
    return str(error.msg).partition(", line ")[0].partition("\n")[0][:200]


@dataclass
class Document:
    """Finds the records of one document.

    Attributes:
        url: The file.
        path: Which elements are records (`matches`).
        root: The root's local name.
        longest: Bytes of the longest record.
    """

    url: str
    path: str
    root: str
    longest: int
    _root: Any = None
    _open: Any = None  # the record that has begun and not ended
    _since: int = 0  # bytes read since then
    _lost: bool = False  # whether it is too long
    _lines: int = field(default=0)

    def read(self, stream: Any) -> Iterator[Found]:
        """All records, in order. Reads to the end, whatever comes.

        Raises:
            DataError: The document asks for too much.
        """
        from lxml import etree

        wanted = self.path.rpartition("/")[2].rpartition(":")[2]
        parser = etree.XMLPullParser(("start", "end"), tag=["{*}" + wanted, "{*}" + self.root], **safe())
        broken = False
        while data := stream.read(_LOOK):
            if broken:
                continue
            error = _fed(parser, data)
            yield from self._records(parser)
            if error is not None:
                broken = True
                yield self._broken(error, data)
            self._lines += data.count(b"\n")
            self._since += len(data)
            yield from self._prune()
        error = None if broken else _closed(parser)
        yield from self._records(parser)
        if error is not None:
            yield self._broken(error, b"")

    def _records(self, parser: Any) -> Iterator[Found]:
        from lxml import etree

        for event, element in parser.read_events():
            if self._root is None:
                self._root = element.getroottree().getroot()
            if event == "start":
                if self._open is None and matches(self.path, names_of(element)):
                    self._open, self._since, self._lost = element, 0, False
            elif element is self._open:
                self._open = None
                if not self._lost:
                    data = etree.tostring(element, encoding="utf-8", with_tail=False)
                    held = TooLong(data[: kept(self.longest)], len(data))
                    found = Huge(element.sourceline, held) if len(data) > self.longest else None
                    yield found or Element(element.sourceline, data)

    def _prune(self) -> Iterator[Found]:
        """Forget the elements that are closed; of an open record only where it is too long."""
        from lxml import etree

        if self._open is not None and not self._lost and self._since > self.longest:
            self._lost = True
            start = etree.tostring(self._open, encoding="utf-8", with_tail=False)[: kept(self.longest)]
            yield Huge(self._open.sourceline, TooLong(start, self._since))
        node = self._root
        while node is not None and len(node) and (self._lost or node is not self._open):
            del node[:-1]
            node = node[-1]

    def _broken(self, error: Any, data: bytes) -> Broken:
        said = _said(error)
        if any(limit in said for limit in _LIMITS):
            raise _refused(error, self.url)
        line = error.position[0]
        lines = data.split(b"\n")
        start = lines[line - 1 - self._lines] if 0 <= line - 1 - self._lines < len(lines) else b""
        reason = "cut_off" if "Premature end" in said or not data else "not_xml"
        return Broken(line, reason, said, start[: kept(self.longest)])


def likeliest(url: str, enough: int) -> tuple[str, str]:
    """The path of the elements that look like records, by the first bytes of a file; or none, and what there is.

    Records are elements that repeat and hold others (or attributes; or else text), of those that do the least deep,
    and of those the most frequent.
    """
    from lxml import etree

    plain: Counter[tuple[str, ...]] = Counter()
    rich: Counter[tuple[str, ...]] = Counter()
    parser = etree.XMLPullParser(("start", "end"), **safe())
    names: list[str] = []
    with Stream(url) as stream:
        read, error = 0, None
        while error is None and read < enough and (data := stream.read(_LOOK)):
            read += len(data)
            error = _fed(parser, data)
            for event, element in parser.read_events():
                if event == "start":
                    names.append(local(element.tag))
                    continue
                path = tuple(names)
                names.pop()
                (rich if len(element) or element.attrib else plain)[path] += 1
                element.clear()
    if error is not None and not rich and not plain:
        raise _refused(error, url)
    for counts in (rich, plain):
        repeated = {path: count for path, count in counts.items() if count > 1 and len(path) > 1}
        level = min(map(len, repeated), default=0)
        best = Counter({path: n for path, n in repeated.items() if len(path) == level}).most_common(2)
        if len(best) == 1 or (best and best[0][1] > best[1][1]):
            return "/" + "/".join(best[0][0]), ""
        if best:
            return "", " or ".join("/" + "/".join(path) for path, _ in best)
    return "", ", ".join("/" + "/".join(path) for path, _ in (rich + plain).most_common(3))
