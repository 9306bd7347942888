"""Web pages as files."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.source import Block, Parsed, Scan

from .documents.extract import NEEDS, extracted, other_kind, versions
from .documents.whole import Document, WholeFiles

_COLUMNS = ("text", "title", "date", "language", "license_link", "url")


class Html(WholeFiles):
    """Reads web pages that are saved as files: one row a page, with its main text.

    ## Why
    Most of a page is not its text: menus, notices, scripts. trafilatura finds what is, and the page itself says its
    title, date, language, licence and address. A page in which no text is found is no row with an empty text: it stands
    in the ledger (`no_text`), as does one of over 16 MiB (`too_long`), of over 100,000 elements (`too_many_elements`)
    or with a tag of over 2,000 attributes (`too_many_attributes`), or that takes a minute (`took_too_long`), and a file
    that is no page (`not_a_page`, `empty`).

    ## Limits
    `date` is when the page was published, as its markup or address says it; `language` what it declares, not what it is
    written in; `license_link` the address that it names as its licence (`rel=license`); `url` what it gives as its own
    (`rel=canonical`). The encoding is the byte order mark's, else UTF-8 where the bytes are, else the one that the
    page names, else the likeliest. Scripts are not run: a page that is built by them has no text. Tables come as text.
    """

    extra: ClassVar[str] = "documents"
    needs: ClassVar[tuple[str, ...]] = NEEDS
    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml")
    longest: ClassVar[int] = 16 << 20
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A page with a menu",
            before={
                "lines": [
                    "<html lang=en><head><title>On seeds</title>",
                    "<meta property='article:published_time' content='2024-05-06'></head>",
                    "<body><nav><a href=/>Home</a> <a href=/all>All pages</a></nav>",
                    "<article><h1>On seeds</h1>",
                    "<p>Seeds keep for years where it is dry, dark and cool, and in a tin they are safe from mice.</p>",
                    "<p>Sow them in May, when the nights are warm, and thin them out before they touch each other.</p>",
                    "<p>Keep a few of the best each autumn, and write on the bag what they are and when they grew.</p>",
                    "</article></body></html>",
                ]
            },
            after={
                "title": ["On seeds"],
                "date": ["2024-05-06"],
                "language": ["en"],
                "license_link": [None],
            },
        ),
    )

    use: Literal["html"] = "html"
    encoding: str | None = Field(None, description="Encoding of the pages that do not say theirs; found when left out.")

    def columns_of(self) -> pl.Schema:
        """All are text."""
        return pl.Schema(dict.fromkeys(_COLUMNS, pl.String()))

    def read(self, document: Document) -> Parsed:
        """One row, or none."""
        kind = other_kind(document.body)
        if kind:
            return document.refused("not_a_page", found=kind)
        page = extracted(document.body, url="", declared=self.encoding)
        if page.text is None:
            return document.refused(page.fault, title=page.title or "")
        row = (page.text, page.title, page.date, page.language, page.license, page.canonical)
        return document.parsed([(1, row)])

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The file, and the versions of what finds the text."""
        return [super().heeds(block, scan), versions()]
