"""A visit to a page in the browser that the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def visit(
    browser: Browser, url: str, width: int = 1280, *, ready: str, **more: Any
) -> Iterator[tuple[Page, list[str], list[str]]]:
    """A page, what it said and what it asked for.

    Args:
        browser: Of the fixture.
        url: Of the page.
        width: In pixels.
        ready: Selector of what is there once the page is.
        more: Options of Playwright's `new_page`.
    """
    page = browser.new_page(viewport={"width": width, "height": 900}, **more)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.wait_for_selector(ready)
    yield page, said, asked
    page.close()
