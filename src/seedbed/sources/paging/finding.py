"""How an API hands out its pages, where its first answer says so plainly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.errors import DataError

from .kinds import LinkHeader, NextLink, NoPages, linked
from .paths import Missing, at

#: Where APIs put the address of the next page.
_LINKS = ("next", "next_url", "nextLink", "@odata.nextLink", "@nextLink")
_AROUND = ("", "links.", "_links.", "paging.", "pagination.", "meta.", "meta.pagination.", "page.", "info.")
#: Where they put a value that the next request must repeat, under a name that the answer does not tell.
_CURSORS = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "end_cursor")
_MORE = ("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage", "more")
_TOTALS = ("total", "count", "total_count", "totalCount", "total_results", "totalResults", "total_items")
_PAGES = ("total_pages", "totalPages", "page_count", "pageCount", "pages", "last_page")


def found_pages(document: Any, headers: Mapping[str, str], records: int) -> LinkHeader | NextLink | NoPages:
    """The way that the first page shows, where it is plain.

    Args:
        document: The page.
        headers: Of the answer.
        records: How many it holds.

    Raises:
        DataError: There is more than this page, and the answer does not say how to ask for it.
    """
    if linked(headers.get("link", ""), "next"):
        return LinkHeader()
    for around in _AROUND:
        for name in _LINKS:
            for path in (around + name, f"{around}{name}.href"):
                if _is_address(at(document, path)):
                    return NextLink(path=path)
    sign = _sign_of_more(document, records)
    if sign:
        raise DataError(
            f"there is more than one page ({sign}), and the answer does not say how to ask for the next",
            hint="say it with `pagination`, or read this page alone with pagination: {kind: none}",
        )
    return NoPages()


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://", "/", "?"))


def _sign_of_more(document: Any, records: int) -> str:
    for around in (*_AROUND, "pageInfo.", "response_metadata."):
        for name in (*_CURSORS, *_LINKS[:1]):
            value = at(document, around + name)
            if value not in (Missing, None, "", False) and not isinstance(value, dict | list):
                return f"{around}{name} is there"
        for name in _MORE:
            if at(document, around + name) is True:
                return f"{around}{name} is true"
        for name, least in (*((name, records) for name in _TOTALS), *((name, 1) for name in _PAGES)):
            value = at(document, around + name)
            if isinstance(value, int) and not isinstance(value, bool) and value > least:
                return f"{around}{name} is {value:,}"
    return ""
