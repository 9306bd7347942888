"""The ways in which APIs hand out pages: options, and which request follows an answer."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from seedbed.core.errors import DataError
from seedbed.sources.fetching.choices import Choice

from .links import is_link, related
from .paths import Missing, at

_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~-]+\*?\s*(?:=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\",;\s]*))?)*)")
#: Characters of a header that are looked at.
_LONGEST = 8_192
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\",;\s]*))", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What is asked for, besides what all pages have in common. It is JSON as it stands."""

    url: str = ""
    """The whole address, where the server gave it."""
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    """Values of the body by their dotted path."""

    def with_value(self, send: str, name: str, value: Any) -> Request:
        """The same request with another value in its query or body."""
        if send == "body":
            return Request(self.url, self.params, {**self.body, name: value})
        return Request(self.url, {**self.params, name: str(value)}, self.body)


@dataclass(frozen=True)
class Page:
    """An answer, and what was asked."""

    asked: Request
    document: Any
    headers: Mapping[str, str]
    records: int
    """How many it holds."""
    before: int
    """How many the pages before it held."""


class Pages(Choice):
    """How to get from page to page."""

    kind: str

    def first(self, asked: Request) -> Request:
        """The request for the first page."""
        return asked

    @abstractmethod
    def after(self, page: Page) -> Request | None:
        """The request for the page after this one; none at the end.

        Raises:
            DataError: The page does not say, or says nonsense.
        """


class _Counted(Pages):
    """Pages that are asked for by number: the end has to be seen."""

    has_more: str | None = Field(None, description="Path of a value that says whether there is another page.")
    total: str | None = Field(None, description="Path of the number of records on all pages together.")

    def _over(self, page: Page) -> bool:
        if not page.records:
            return True
        if self.has_more is not None and not _truth(page.document, self.has_more):
            return True
        return self.total is not None and page.before + page.records >= _number(page.document, self.total)


class NoPages(Pages):
    """All in one answer."""

    kind: Literal["none"] = Field("none", description="All records are in one answer.")

    def after(self, page: Page) -> Request | None:
        """Nothing follows."""
        return None


class NextLink(Pages):
    """The answer holds the address of the next page."""

    kind: Literal["next_link"] = Field("next_link", description="The answer holds the next page's address.")
    path: str = Field(
        "next", min_length=1, description="Where in the answer: dotted keys. Of a list of links, the one `next` counts."
    )

    def after(self, page: Page) -> Request | None:
        """The address at the path; its absence, null or an empty text are the end."""
        found = at(page.document, self.path)
        if is_link(found) or isinstance(found, list):
            found = related(found)
        if found in (Missing, None, "", False):
            return None
        if not isinstance(found, str):
            raise DataError(f"the answer's {self.path!r} is no address", hint="is it a cursor? kind: cursor")
        return Request(found)


class LinkHeader(Pages):
    """The header Link names the next page (RFC 8288)."""

    kind: Literal["link_header"] = Field("link_header", description="The header Link holds the next page's address.")
    rel: str = Field("next", min_length=1, description="The relation of the next page to this one.")

    def after(self, page: Page) -> Request | None:
        """The link of that relation."""
        found = linked(page.headers.get("link", ""), self.rel)
        return Request(found) if found else None


class PageNumber(_Counted):
    """Pages are numbered."""

    kind: Literal["page"] = Field("page", description="The query asks for a page by its number.")
    param: str = Field("page", min_length=1, description="The parameter that holds the number.")
    start: int = Field(1, ge=0, description="Number of the first page.")
    size_param: str | None = Field(None, description="The parameter that holds the number of records on a page.")
    size: int = Field(100, ge=1, description="Records on a page, where `size_param` is given.")

    def first(self, asked: Request) -> Request:
        """The first page, by its number."""
        sized = asked.with_value("query", self.size_param, self.size) if self.size_param else asked
        return sized.with_value("query", self.param, self.start)

    def after(self, page: Page) -> Request | None:
        """The next number, until a page is empty or the answer says that it was the last."""
        return (
            None if self._over(page) else page.asked.with_value("query", self.param, _asked_for(page, self.param) + 1)
        )


class Offset(_Counted):
    """Records are counted."""

    kind: Literal["offset"] = Field("offset", description="The query says how many records to pass over.")
    param: str = Field("offset", min_length=1, description="The parameter that holds how many to pass over.")
    size_param: str = Field("limit", min_length=1, description="The parameter that holds how many are wanted.")
    size: int = Field(100, ge=1, description="Records on a page.")

    def first(self, asked: Request) -> Request:
        """From the first record."""
        return asked.with_value("query", self.size_param, self.size).with_value("query", self.param, 0)

    def after(self, page: Page) -> Request | None:
        """After the records that came (which may be fewer than were wanted), until none come or that were all."""
        if self._over(page):
            return None
        return page.asked.with_value("query", self.param, _asked_for(page, self.param) + page.records)


class Cursor(Pages):
    """The answer holds what the next request must say."""

    kind: Literal["cursor"] = Field("cursor", description="The answer holds a value that the next request repeats.")
    param: str = Field(min_length=1, description="The parameter (of a body: the dotted path) that repeats it.")
    path: str = Field(min_length=1, description="Where in the answer: dotted keys; `data.-1.id` is of a list's last.")
    send: Literal["query", "body"] = Field("query", description="Where the parameter stands.")
    has_more: str | None = Field(None, description="Path of a value that says whether there is another page.")

    def after(self, page: Page) -> Request | None:
        """The value at the path; its absence, null or an empty text are the end."""
        found = at(page.document, self.path)
        if found in (Missing, None, ""):
            self._refuse_more(page)
            return None
        if self.has_more is not None and not _truth(page.document, self.has_more):
            return None
        if isinstance(found, dict | list):
            raise DataError(f"the answer's {self.path!r} is no single value", hint="is the path right?")
        return page.asked.with_value(self.send, self.param, found)

    def _refuse_more(self, page: Page) -> None:
        told = Missing if self.has_more is None else at(page.document, self.has_more)
        if told is not Missing and _is_true(told):
            raise DataError(
                f"the answer says that there is more ({self.has_more}), and has nothing at the path {self.path!r}",
                hint="is `path` of `pagination` right?",
            )


Pagination = Annotated[NoPages | NextLink | LinkHeader | PageNumber | Offset | Cursor, Field(discriminator="kind")]


def linked(header: str, rel: str) -> str:
    """The address that a Link header gives for a relation; empty where it gives none."""
    for address, more in _LINK.findall(header[:_LONGEST]):
        for quoted, bare in _REL.findall(more):
            if rel.lower() in (quoted or bare).lower().split():
                return str(address)
    return ""


def _asked_for(page: Page, param: str) -> int:
    return int(page.asked.params[param])


def _truth(document: Any, path: str) -> bool:
    found = at(document, path)
    if found is Missing:
        raise DataError(f"the answer has nothing at the path {path!r}", hint="is `has_more` right?")
    return _is_true(found)


def _is_true(found: Any) -> bool:
    return bool(found) and str(found).strip().lower() not in ("false", "no", "0")


def _number(document: Any, path: str) -> int:
    found = at(document, path)
    try:
        return int(found)
    except (TypeError, ValueError):
        raise DataError(f"the answer has no number at the path {path!r}", hint="is `total` right?") from None
