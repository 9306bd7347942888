"""PDF documents."""

from __future__ import annotations

import io
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.showing import clean
from seedbed.core.source import Block, Parsed, Scan

from .documents.extract import quiet
from .documents.whole import Document, WholeFiles
from .reading.blocks import Malformed

#: What pypdf opens AES with, where it is installed.
_AES = "cryptography"
#: The text of a page, or why there is none: a reason, and evidence.
_Page = str | tuple[str, dict[str, Any]]


class Pdf(WholeFiles):
    """Reads PDF documents: one row a page or a document, with its text.

    ## Why
    A PDF says where characters stand, not what the text is; pypdf puts them together. What cannot be read does not stop
    the rest: a page without text (a scan, a picture) stands in the ledger as `no_text`, one that cannot be read as
    `damaged`, a document that is locked as `encrypted`, with what it needs: a password, or the package `cryptography`,
    without which nothing that AES encrypts can be opened, not even what anybody may read. The record number is the
    page's.

    ## Limits
    No text is recognised in pictures. Columns, tables, headers and footers come in the order in which they are drawn,
    words that are cut at a line's end stay cut. A document of over 256 MiB (`too_long`), or that takes longer than a
    minute (`took_too_long`), is one malformed record; one whose pages all lack text is one, too, where a row is a
    document.
    """

    extra: ClassVar[str] = "documents"
    needs: ClassVar[tuple[str, ...]] = ("pypdf",)
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)
    longest: ClassVar[int] = 256 << 20
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A row a page; one page is a picture",
            before={"pages": ["Seeds keep for years.", "", "Sow them in May."]},
            after={"text": ["Seeds keep for years.", "Sow them in May."], "page": [1, 3], "title": [None, None]},
        ),
        Example(
            title="A row a document",
            options={"per": "document"},
            before={"pages": ["Seeds keep for years.", "Sow them in May."]},
            after={"text": ["Seeds keep for years.\n\nSow them in May."], "pages": [2]},
        ),
    )

    use: Literal["pdf"] = "pdf"
    per: Literal["page", "document"] = Field("page", description="What a row is.")

    def columns_of(self) -> pl.Schema:
        """The text, which page it is (or how many there are), and what the document says of itself."""
        count = "page" if self.per == "page" else "pages"
        return pl.Schema({"text": pl.String(), count: pl.Int64(), "title": pl.String(), "date": pl.String()})

    def read(self, document: Document) -> Parsed:
        """The pages."""
        import pypdf

        quiet("pypdf")
        if b"%PDF-" not in document.body[:1024]:
            return document.refused("not_a_pdf")
        try:
            opened = pypdf.PdfReader(io.BytesIO(document.body))
            if opened.is_encrypted and not opened.decrypt(""):
                return document.refused("encrypted", needs="a password")
            texts = [_text(opened, place) for place in range(len(opened.pages))]
        except pypdf.errors.DependencyError:
            return document.refused("encrypted", needs=f"the package {_AES} (pip install {_AES})")
        except Exception as error:  # noqa: BLE001 - a damaged file makes any error
            return document.refused("damaged", error=_words(error))
        return self._rows(document, texts, *_said(opened))

    def _rows(self, document: Document, texts: list[_Page], title: str | None, date: str | None) -> Parsed:
        there = [(n, text) for n, text in enumerate(texts, 1) if isinstance(text, str)]
        faults = [(n, fault) for n, fault in enumerate(texts, 1) if not isinstance(fault, str)]
        if self.per == "page" and texts:
            bad = [Malformed(n, 1, *fault, "") for n, fault in faults]
            return document.parsed([(n, (text, n, title, date)) for n, text in there], bad)
        if not there:
            found = sorted({reason for _, (reason, _) in faults})
            return document.refused("no_text", pages=len(texts), found=", ".join(found))
        whole = "\n\n".join(text for _, text in there)
        return document.parsed([(1, (whole, len(texts), title, date))])

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The file, the version of what reads it, and whether that can open what is encrypted."""
        return [super().heeds(block, scan), version("pypdf"), find_spec(_AES) is not None]


def _text(opened: Any, place: int) -> _Page:
    """The text of a page, or why there is none; where a package is missing, that is raised."""
    from pypdf.errors import DependencyError

    try:
        text = opened.pages[place].extract_text().replace("\0", "").encode("utf-8", "replace").decode().strip()
    except DependencyError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged page makes any error
        return "damaged", {"page": place + 1, "error": _words(error)}
    return text or ("no_text", {"page": place + 1})


def _said(opened: Any) -> tuple[str | None, str | None]:
    """The title, and the day on which the document was made."""
    try:
        about = opened.metadata
        made = about.creation_date if about else None
        title = (about.title or "").strip() if about else ""
    except Exception:  # noqa: BLE001 - a date that is none, a title that is no text
        return None, None
    return title.encode("utf-8", "replace").decode() or None, made.date().isoformat() if made else None


def _words(error: Exception) -> str:
    return clean(f"{type(error).__name__}: {error}".partition("\n")[0])[:200]
