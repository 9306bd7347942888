"""A page that came, and the row that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import polars as pl

from seedbed.core.errors import DataError
from seedbed.sources.documents.extract import decoded, extracted
from seedbed.sources.reading.encoding import by_mark
from seedbed.sources.reading.kinds import refuse_binary
from seedbed.store.snapshots import Kept

from .headers import TEXT

SCHEMA: dict[str, pl.DataType] = {
    "url": pl.String(),
    "title": pl.String(),
    "text": pl.String(),
    "date": pl.String(),
    "language": pl.String(),
    "license": pl.String(),
    "status": pl.Int64(),
    "depth": pl.Int64(),
}
_OTHERS = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"\x00\x00\x00")


@dataclass(frozen=True)
class Page:
    """What is known of a page besides its bytes. No time is in it: the same page gives the same row.

    Attributes:
        status: Of the response.
        depth: Links from a seed or a sitemap.
        media: `html` or `text`.
        declared: The encoding that the response names.
        noindex: Whether the response's header asks not to be used.
        fault: Why there are no bytes.
        copy_of: The page of which it says that it is a copy.
        wanted: Whether the recipe wants rows of such addresses.
    """

    status: int
    depth: int
    media: str
    declared: str | None
    noindex: bool
    fault: str
    copy_of: str
    wanted: bool

    @classmethod
    def of(cls, kept: Kept, *, copy_of: str, wanted: bool) -> Self:
        """What was kept of a page."""
        state = kept.state
        same = (state["status"], state["depth"], state["media"], state["declared"])
        return cls(*same, "noindex" in state["robots"], state["fault"], copy_of, wanted)

    @property
    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def refused(self) -> str:
        """Why it gives no row, whatever its bytes are; empty where nothing speaks against it."""
        if not self.wanted:
            return "not_included"
        return self.fault or ("noindex" if self.noindex else "copy" if self.copy_of else "")


def row_of(page: Page, body: bytes, url: str) -> tuple[Mapping[str, Any] | None, str]:
    """The row of a page, or why it gives none."""
    if is_binary(body, page.declared):
        return None, "binary"
    row: dict[str, Any] = {"url": url, "status": page.status, "depth": page.depth}
    if page.media == TEXT:
        text = decoded(body, page.declared)[0].replace("\0", "").strip()
        return ({**row, "text": text}, "") if text else (None, "no_text")
    found = extracted(body, url=url, declared=page.declared)
    if "noindex" in found.robots:
        return None, "noindex"
    if not found.text:
        return None, found.fault or "no_text"
    row |= {"title": found.title, "text": found.text, "date": found.date}
    return {**row, "language": found.language, "license": found.license}, ""


def is_binary(body: bytes, declared: str | None) -> bool:
    """Whether bytes are no text, whatever their type says."""
    if body.startswith(_OTHERS):
        return True
    if by_mark(body) or "16" in (declared or ""):
        return False
    try:
        refuse_binary(body, at="", wanted="")
    except DataError:
        return True
    return False
