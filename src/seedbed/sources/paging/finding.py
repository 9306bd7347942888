"""How an API hands out its pages, where its first answer says so plainly; and what tells that there is more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from seedbed.core.errors import DataError

from .kinds import Cursor, LinkHeader, NextLink, NoPages, Page, Pages, linked
from .links import related
from .paths import Missing, at

#: Where APIs put the address of the next page.
_LINKS = (
    *("next", "next_url", "nextUrl", "nextLink", "@odata.nextLink", "@nextLink"),
    *("next_page", "nextPage", "next_page_url", "nextPageUrl"),
)
_AROUND = (
    *("", "links.", "_links.", "paging.", "pagination.", "meta.", "meta.pagination.", "page.", "info."),
    *("pageInfo.", "page_info.", "response_metadata."),
)
#: Where they put a value that the next request must repeat, under a name that the answer does not tell.
_CURSORS = (
    *("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "end_cursor"),
    *("continuationToken", "continuation_token", "nextCursorMark"),
)
_MORE = ("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage", "more")
_TOTALS = (
    *("total", "total.value", "count", "total_count", "totalCount", "total_results", "totalResults", "total_items"),
    *("totalItems", "total_records", "totalRecords", "totalElements", "numFound"),
)
_PAGES = ("total_pages", "totalPages", "page_count", "pageCount", "pages", "last_page", "nbPages")
#: The same in headers.
_TOTAL_HEADERS = ("x-total-count", "x-total", "x-wp-total", "total-count")
_PAGES_HEADERS = ("x-total-pages", "x-wp-totalpages", "x-page-count")
_NEXT_HEADERS = ("x-next-page", "x-next-cursor", "x-continuation-token", "x-ms-continuation")
_RANGE = re.compile(r"\s*[a-z]+\s+\d+-\d+/(\d+)\s*", re.IGNORECASE)


def found_pages(document: Any, headers: Mapping[str, str], records: int, path: str = "") -> Pages:
    """The way that the first page shows, where it is plain.

    What tells it is looked for in the answer itself and in each object around the records.

    Args:
        document: The page.
        headers: Of the answer, their names in lower case.
        records: How many it holds.
        path: Where they are.

    Raises:
        DataError: There is more than this page, and the answer does not say how to ask for it.
    """
    if linked(headers.get("link", ""), "next"):
        return LinkHeader()
    for around in _places(path):
        for name in (one for link in _LINKS for one in (link, f"{link}.href")):
            if _is_address(at(document, around + name)):
                return NextLink(path=around + name)
        for name in ("link", "links"):
            if related(at(document, around + name)):
                return NextLink(path=around + name)
    sign, way = _sign_of_more(document, headers, records, path)
    if sign:
        raise DataError(
            f"there is more than one page ({sign}), and the answer does not say how to ask for the next",
            hint=f"say how, such as pagination: {way}; pagination: {{kind: none}} reads this page alone",
        )
    return NoPages()


def refuse_lost(page: Page, pages: Pages, path: str) -> None:
    """See to it that a first page which leads nowhere is the only one.

    Raises:
        DataError: There is nothing where the recipe says that the way to the next page is, and there is more.
    """
    if not isinstance(pages, NextLink | Cursor) or at(page.document, pages.path) is not Missing:
        return
    sign, _ = _sign_of_more(page.document, page.headers, page.records, path)
    if sign:
        raise DataError(
            f"the answer has nothing at the path {pages.path!r}, and yet there is more ({sign})",
            hint="is `path` of `pagination` right? With pagination: {kind: none} this page alone is read",
        )


def _places(path: str) -> Iterator[str]:
    """What is put before a name: for the answer itself and each object around the records, and what stands there."""
    inner = path.replace("/", ".").lstrip(".").split(".")[path.startswith("/") : -1]
    for end in range(len(inner) + 1):
        if "*" not in inner[:end]:
            yield from ("".join(f"{one}." for one in inner[:end]) + around for around in _AROUND)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://", "/", "?"))


def _sign_of_more(document: Any, headers: Mapping[str, str], records: int, path: str) -> tuple[str, str]:
    """What says that there is more than one page, and a way that it may be asked for; empty where nothing does."""
    counted = "{kind: page, param: page}, or of kind offset or cursor"
    for around in _places(path):
        for name in (*_CURSORS, *_LINKS, "offset"):
            value = at(document, around + name)
            if _is_cursor(value, name):
                return (
                    f"{around}{name} is there",
                    f"{{kind: cursor, path: {around}{name}, param: ITS NAME IN THE QUERY}}",
                )
        for name in _MORE:
            if str(at(document, around + name)).lower() == "true":
                return f"{around}{name} is true", counted
        for name, least in (*((name, records) for name in _TOTALS), *((name, 1) for name in _PAGES)):
            for one in (around + name, f"{around}@{name}"):
                if _whole(at(document, one)) > least:
                    return f"{one} is {_whole(at(document, one)):,}", counted
    return _sign_in_headers(headers, records), counted


def _sign_in_headers(headers: Mapping[str, str], records: int) -> str:
    for names, least in ((_TOTAL_HEADERS, records), (_PAGES_HEADERS, 1)):
        for name in names:
            if _whole(headers.get(name)) > least:
                return f"the header {name} is {_whole(headers[name]):,}"
    for name in _NEXT_HEADERS:
        if headers.get(name, "").strip():
            return f"the header {name} is there"
    ranged = _RANGE.fullmatch(headers.get("content-range", "")[:200])
    return f"the header content-range ends with {int(ranged[1]):,}" if ranged and int(ranged[1]) > records else ""


def _is_cursor(value: Any, name: str) -> bool:
    if name == "offset":  # mostly what was asked for, said again
        return isinstance(value, str) and bool(value) and not value.isdigit()
    return value not in (Missing, None, "", False) and not isinstance(value, dict | list)


def _whole(value: Any) -> int:
    """A whole number, also where it is text; -1 where it is something else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
