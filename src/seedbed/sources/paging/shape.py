"""How the pages of an API are read: as the recipe says, or as the first one shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from seedbed.core.errors import DataError
from seedbed.sources.fetching.http import Response

from .elements import Tree, elements_at, value_of
from .finding import found_pages
from .kinds import NoPages, Pages, Pagination
from .opening import Format, format_of, opened
from .paths import found_records, records_at

_PAGES: TypeAdapter[Pages] = TypeAdapter(Pagination)


@dataclass(frozen=True)
class Shape:
    """What all pages of a generation have in common."""

    pages: Pages
    """The way to the next page."""
    format: Format
    records: str
    """Where the records are."""
    root: str = ""
    """Name of the first page's root element, where pages are XML."""

    @classmethod
    def of(
        cls, answer: Response, *, pages: Pages | None, written: Format | None, records: str | None, name: str
    ) -> Self:
        """As the recipe says; what it leaves out (none), as the first page shows.

        Raises:
            DataError: The page does not show it, or is no page.
        """
        kind = written or format_of(answer.body, answer.media_type)
        document = opened(answer.body, kind, of=name)
        path = records
        if path is None:
            path = found_records(document, of=name, alone=kind == "json")
            path = f"/{document.name}/{path.replace('.', '/')}" if kind == "xml" else path
        root = document.name if kind == "xml" else ""
        held = len(cls(NoPages(), kind, path, root).records_of(document, name))
        return cls(pages or found_pages(document, answer.headers, held, path), kind, path, root)

    def records_of(self, document: Any, name: str) -> list[Any]:
        """The records of a page: JSON values, or elements.

        Raises:
            DataError: It is no page like the first one.
        """
        if isinstance(document, Tree):
            if document.name != self.root:
                raise DataError(f"{name} is <{document.name[:40]}>, where the first page was <{self.root[:40]}>")
            return elements_at(document.root, self.records)
        return records_at(document, self.records, of=name)

    def plain(self, record: Any) -> Any:
        """A record as JSON has it."""
        return value_of(record) if self.format == "xml" else record

    def as_json(self) -> dict[str, Any]:
        """For the snapshot."""
        told = {"format": self.format, "records": self.records, "root": self.root}
        return {"pages": self.pages.model_dump(mode="json"), **told}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """From the snapshot."""
        return cls(_PAGES.validate_python(told["pages"]), told["format"], told["records"], told["root"])
