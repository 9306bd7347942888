"""What a web page says: its main text, and what it says of itself."""

from __future__ import annotations

import codecs
import logging
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from seedbed.core.errors import MissingExtraError
from seedbed.sources.reading.encoding import Census, Encoding, by_mark

#: Modules that `extracted` imports.
NEEDS = ("lxml", "trafilatura", "lxml_html_clean")

#: Bytes in which a page must name its encoding (the HTML standard says 1024; many pages say it later).
_HEAD = 4096
_CHARSET = re.compile(rb"""<meta[^>]{0,512}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,128}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
#: Labels that browsers read as another encoding, which holds the named one (WHATWG Encoding standard).
_READ_AS = {
    **dict.fromkeys(("ascii", "iso8859-1"), "cp1252"),
    **{"iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874", "gb2312": "gb18030", "gbk": "gb18030"},
    **{"shift_jis": "cp932", "euc_kr": "cp949"},
}
#: Elements of a page whose text is looked for: trafilatura takes 0.1 ms for each.
MOST_ELEMENTS = 100_000
#: Attributes of a tag, and how a tag and an attribute look (possessive, so that nothing is looked at twice).
_MOST_ATTRIBUTES = 2_000
_ATTRIBUTE = re.compile(r"""[\s/]++[^\s=>/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+""")
_TAG = re.compile(rf"<[A-Za-z][^\s>/]*+(?:{_ATTRIBUTE.pattern})++")
#: A page says when it was published; it is not asked what day it is today, which would differ from run to run.
_DATES = {"original_date": True, "extensive_search": False, "min_date": "1990-01-01", "max_date": "2100-12-31"}


_OTHERS = (
    *((b"%PDF-", "PDF"), (b"PK\x03\x04", "archive"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture")),
    *((b"GIF8", "picture"), (b"PAR1", "Parquet"), (b"\x7fELF", "program")),
)


@dataclass(frozen=True)
class Extracted:
    """A page."""

    text: str | None
    """Main text, a paragraph a line; none where the page has none."""
    title: str | None
    date: str | None
    """When it was published, as the page or its address says it (YYYY-MM-DD)."""
    language: str | None
    """As the page declares it: the language alone (`de` for `de-AT`)."""
    license: str | None
    """Address that the page links to as its licence (`rel=license`)."""
    links: tuple[str, ...] = ()
    """Absolute addresses of the page's links (http and https, without fragments), in order, each once; not those
    marked `nofollow`."""
    canonical: str | None = None
    """The address that the page gives as its own (`rel=canonical`)."""
    robots: frozenset[str] = field(default_factory=frozenset)
    """What its `<meta name=robots>` says, in lower case: `noindex`, `nofollow`, …"""
    encoding: str = "utf-8"
    """How its bytes were read."""
    fault: str = ""
    """Why there is no text, as a reason for the ledger: `no_text`, `too_many_elements`, `too_many_attributes`."""


@dataclass(frozen=True)
class Linked:
    """Where a page leads, as `Extracted` has it."""

    links: tuple[str, ...] = ()
    canonical: str | None = None
    robots: frozenset[str] = frozenset()


def extracted(body: bytes, *, url: str, declared: str | None = None) -> Extracted:
    """Main text and metadata of an HTML page, by trafilatura; the same for the same bytes on every day.

    Args:
        body: The page, not packed. Whoever calls bounds its size.
        url: Its address, from which relative links start; empty where it has none.
        declared: The encoding that the HTTP response names.

    Raises:
        MissingExtraError: trafilatura is not installed.
    """
    _check_needs()
    text, encoding = decoded(body, declared)
    crowded = _is_crowded(text)
    tree = None if crowded else _tree(text)
    if tree is None:
        fault = "too_many_attributes" if crowded else "no_text"
        return Extracted(None, None, None, None, None, encoding=encoding, fault=fault)
    base = _base(tree, url)
    large = sum(1 for _ in islice(tree.iter(), MOST_ELEMENTS + 1)) > MOST_ELEMENTS
    found = None if large else _main(tree, url)
    main = ((found.text if found else None) or "").strip()
    return Extracted(
        text=main or None,
        title=_line(found.title if found else None) or _line(tree.findtext(".//title")),
        date=found.date if found else None,
        language=_language(tree),
        license=_related(tree, "license", base),
        links=_links(tree, base),
        canonical=_related(tree, "canonical", base),
        robots=_robots(tree),
        encoding=encoding,
        fault="" if main else "too_many_elements" if large else "no_text",
    )


def linked(body: bytes, *, url: str, declared: str | None = None) -> Linked:
    """Where a page leads, without its text: a tenth of the work of `extracted`, for whoever decides what to ask next.

    Args:
        body: The page, not packed.
        url: Its address.
        declared: The encoding that the HTTP response names.

    Raises:
        MissingExtraError: trafilatura is not installed.
    """
    _check_needs()
    text = decoded(body, declared)[0]
    tree = None if _is_crowded(text) else _tree(text)
    if tree is None:
        return Linked()
    base = _base(tree, url)
    return Linked(_links(tree, base), _related(tree, "canonical", base), _robots(tree))


def other_kind(body: bytes) -> str:
    """What a file is that plainly is no page; empty where it may be one."""
    for magic, kind in _OTHERS:
        if body.startswith(magic):
            return kind
    return "" if by_mark(body[:_HEAD]) or 0 not in body[:_HEAD] else "binary"


def versions() -> dict[str, str]:
    """Versions of the libraries that decide what the text of a page is."""
    return {name: version(name) for name in ("trafilatura", "htmldate", "justext", "lxml")}


def decoded(body: bytes, declared: str | None = None) -> tuple[str, str]:
    """A page's text, and the encoding that gave it.

    A byte order mark decides; then UTF-8, where the bytes are valid and more than ASCII; then the encoding that the
    response or the page names; then UTF-8 where most is; then the likeliest. So a page that is UTF-8 and says otherwise
    is read as what it is.
    """
    marked = by_mark(body)
    if marked:
        return body[marked[1] :].decode(marked[0], "replace"), marked[0]
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        pass
    for label in (declared, *_named(body[:_HEAD])):
        name = _codec(label)
        if name and name != "utf-8":
            return body.decode(name, "replace"), name
    text = body.decode(errors="replace")
    if text.count("\ufffd") * 9 <= len(re.findall(r"[^\x00-\x7f\ufffd]", text)):  # as in other files: mostly UTF-8
        return Encoding(fallback="cp1252").decode(body), "utf-8"
    census = Census()
    census.add(body)
    found = census.found()[0]
    # What no page says of itself is the browsers' own choice before it is that of old computers.
    encoding = Encoding("cp1252") if found.name == "mac_roman" else found
    return encoding.decode(body), encoding.name


def _named(head: bytes) -> list[str]:
    found = (_XML.search(head), _CHARSET.search(head))
    return [match[1].decode("ascii", "replace") for match in found if match]


def _codec(label: str | None) -> str | None:
    """Python's name of the encoding that browsers read a label as."""
    try:
        name = codecs.lookup((label or "").strip().strip("\"'")).name
        "".encode(name)
    except (LookupError, ValueError):
        return None
    return _READ_AS.get(name, name)


def _check_needs() -> None:
    try:
        import trafilatura  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"the text of pages needs a package that is not installed ({str(error).partition(chr(10))[0]})",
            hint="pip install 'seedbed[documents]' lxml-html-clean",
        ) from None
    for name in ("trafilatura", "htmldate"):  # what they have to say is told in the row, not on the terminal
        quiet(name)


def quiet(name: str) -> None:
    """Keep what a library has to say off the terminal."""
    logger = logging.getLogger(name)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def _is_crowded(text: str) -> bool:
    """Whether a tag has more attributes than any honest one: the parser takes the square of their number, in C."""
    tags = (tag[0] for tag in _TAG.finditer(text))
    return any(len(tag) > _MOST_ATTRIBUTES and len(_ATTRIBUTE.findall(tag)) > _MOST_ATTRIBUTES for tag in tags)


def _tree(text: str) -> Any:
    from trafilatura import load_html

    # Without its declarations, whose encoding is not that of the text any more; NUL would end the text.
    plain = re.sub(r"^\s*<\?xml[^>]{0,256}\?>", "", text.replace("\0", ""))
    # trafilatura takes a page for none if it is short of elements and does not begin by saying that it is one.
    return load_html(f"<!DOCTYPE html>\n{plain}\n") if plain.strip() else None


def _main(tree: Any, url: str) -> Any:
    from trafilatura import bare_extraction

    return bare_extraction(
        tree, url=url or None, include_comments=False, with_metadata=True, date_extraction_params=dict(_DATES)
    )


def _line(text: str | None) -> str | None:
    return " ".join((text or "").split()) or None


def _rel(element: Any) -> set[str]:
    return set((element.get("rel") or "").lower().split())


def _related(tree: Any, kind: str, base: str) -> str | None:
    """The first address to which the page stands in a relation; a licence may be named in its text."""
    for element in tree.iter("link", "a"):
        if kind in _rel(element) and (address := _joined(base, element.get("href"))):
            return address
    return None


def _base(tree: Any, url: str) -> str:
    return _joined(url, next(iter(tree.xpath("//base/@href")), "")) or url


def _links(tree: Any, base: str) -> tuple[str, ...]:
    found = (_joined(base, link.get("href")) for link in tree.iter("a") if "nofollow" not in _rel(link))
    return tuple(dict.fromkeys(link for link in found if link))


def _joined(base: str, href: str | None) -> str:
    """An absolute address of the web without a fragment; empty where it is none."""
    try:
        address = urljoin(base, (href or "").strip()).partition("#")[0]
        address = f"https:{address}" if address.startswith("//") else address
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname else ""


def _language(tree: Any) -> str | None:
    said = [*tree.xpath("/html/@lang | /html/@*[local-name()='lang']")]
    said += tree.xpath("//meta[translate(@http-equiv, 'CLANGUTE', 'clangute')='content-language']/@content")
    said += tree.xpath("//meta[@property='og:locale']/@content")
    for text in said:
        found = re.match(r"\s*([A-Za-z]{2,3})(?:[-_,;\s]|$)", text)
        if found:
            return found[1].lower()
    return None


def _robots(tree: Any) -> frozenset[str]:
    said = tree.xpath("//meta[translate(@name, 'ROBTS', 'robts')='robots']/@content")
    words = {word.strip().lower() for text in said for word in text.split(",")} - {""}
    return frozenset(words | ({"noindex", "nofollow"} if "none" in words else set()))
