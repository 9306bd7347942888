"""Sitemaps (sitemaps.org): addresses of pages and of further sitemaps, as XML or as plain lines, packed or not."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

#: Bytes of a sitemap, unpacked, and addresses in it: what the protocol allows.
MOST_BYTES, MOST_ADDRESSES = 50 << 20, 50_000


class NoSitemap(Exception):
    """What it is instead, in words."""


@dataclass(frozen=True)
class Listed:
    """An address in a sitemap."""

    url: str
    changed: str = ""
    """What it says of the last change (`lastmod`)."""
    sitemap: bool = False
    """Whether it is one of a sitemap."""


def listed(body: bytes) -> list[Listed]:
    """The addresses of a sitemap, in order.

    Raises:
        NoSitemap: It is none, is damaged, or is larger than the protocol allows.
    """
    text = _unpacked(body) if body.startswith(b"\x1f\x8b") else body
    if len(text) > MOST_BYTES:
        raise NoSitemap(f"it has more than {MOST_BYTES:,} bytes")
    start = text[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    found = list(_of_xml(text) if start.startswith(b"<") else _of_lines(text))
    if len(found) > MOST_ADDRESSES:
        raise NoSitemap(f"it has more than {MOST_ADDRESSES:,} addresses")
    return found


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text = unpacker.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise NoSitemap("it is not gzip, as its first bytes say") from None
    if not unpacker.eof and len(text) <= MOST_BYTES:
        raise NoSitemap("its gzip ends in the middle")
    return text


def _of_lines(text: bytes) -> Iterator[Listed]:
    for line in text.decode("utf-8-sig", "replace").split("\n"):
        if line.strip():
            if not line.strip().startswith(("http://", "https://")):
                raise NoSitemap("it is neither XML nor lines of addresses")
            yield Listed(line.strip())


def _of_xml(text: bytes) -> Iterator[Listed]:
    from lxml import etree

    # No DTD, no entities, nothing from elsewhere: a bomb stays what it is.
    parsed = etree.iterparse(
        BytesIO(text), tag="{*}*", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    root, at = "", dict[str, str]()
    try:
        for _, element in parsed:
            name = etree.QName(element).localname
            if name in ("loc", "lastmod"):
                at.setdefault(name, (element.text or "").strip())
            elif name in ("url", "sitemap"):
                if at.get("loc"):
                    yield Listed(at["loc"], at.get("lastmod", ""), name == "sitemap")
                at = {}
                _forget(element)
            root = name
    except etree.XMLSyntaxError as error:
        raise NoSitemap(f"its XML is damaged: {error.msg}") from None
    if root not in ("urlset", "sitemapindex"):
        raise NoSitemap(f"it is XML, but no sitemap: <{root}>")


def _forget(element: Any) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
