"""Gives the examples of sources something to read: a file, or a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from seedbed.core.part import Example
from seedbed.core.source import Source

from .api import Answer, Api, Asked
from .model import model_server
from .pdfs import pdf
from .postgres import PASSWORD, missing, postgres
from .site import Page, Site
from .workbooks import write_workbook


@contextmanager
def placed(part: type[Source], example: Example, folder: Path) -> Iterator[dict[str, Any]]:
    """The options that name what an example's `before` shows, while it is there."""
    if part.model_fields["use"].default == "pdf":
        path = folder / "example.pdf"
        path.write_bytes(pdf(example.before["pages"]))
        yield {"path": str(path)}
    elif "pages" in example.before:
        with Api([]) as api:
            pages = list(example.before["pages"])
            path = urlsplit(example.options["url"]).path
            api.routes[path] = lambda asked: Answer(pages[_number(asked) - 1].encode())
            yield {"url": api.url(path)}
    elif "answers" in example.before:
        answers = iter(example.before["answers"])
        with model_server(lambda asked, tries: next(answers)) as server:
            yield {"endpoint": server.url, "parallel": 1}
    elif part.model_fields["use"].default == "sql":
        if missing():
            pytest.skip(missing())
        with postgres() as server:
            server.run(*example.before["sql"])
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PGPASSWORD", PASSWORD)
                yield {"url": server.uri()}
    elif part.model_fields["use"].default == "web":
        answers = {path: Page(text.encode()) for path, text in zip(*example.before.values(), strict=True)}
        with Site(answers, robots=None) as site:
            yield {"seeds": [site.url("/")], "allow_private": True, "per_second": 10_000}
    elif part.model_fields["use"].default == "excel":
        write_workbook(folder / "example.xlsx", {"Sheet1": example.before})
        yield {"path": str(folder / "example.xlsx")}
    elif part.model_fields["use"].default == "frame":
        yield {}  # its options hold the rows
    else:
        file = folder / f"example.{part.model_fields['use'].default}"
        part.write_example(example.before, file)
        yield {"path": str(file)}


def _number(asked: Asked) -> int:
    return int(asked.query.get("page", 1))
