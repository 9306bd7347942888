"""Gives the examples of sources something to read, and those of learners somebody to ask: files, loopback servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from seedbed.core.learner import Learner
from seedbed.core.part import Example
from seedbed.core.source import Source

from .api import Answer, Api, Asked
from .model import model_server
from .pdfs import pdf
from .postgres import PASSWORD, missing, postgres
from .site import Page, Site
from .workbooks import write_workbook


def placed(part: type[Source], example: Example, folder: Path) -> AbstractContextManager[dict[str, Any]]:
    """The options that name what an example's `before` shows, while it is there."""
    use = part.model_fields["use"].default
    if use in _PLACED:
        return _PLACED[use](example, folder)
    file = folder / f"example.{use}"
    part.write_example(example.before, file)
    return nullcontext({"path": str(file)})


@contextmanager
def asked(part: type[Learner], example: Example) -> Iterator[dict[str, Any]]:
    """The options of a learner that asks a model, while there is one: it answers as the example says."""
    if "endpoint" not in part.model_fields:
        yield {}
        return
    right = dict(zip(example.before["text"], example.after["predicted"], strict=True))
    plain = part.model_fields["use"].default != "prompted"

    def answer(asked: dict[str, Any], _: int) -> str:
        said = asked["messages"][-1]["content"]
        found = right[max(right, key=said.rfind)]
        return str(found) if plain else json.dumps({"answer": found})

    with model_server(answer) as server:
        yield {"endpoint": server.url}


def _pdf(example: Example, folder: Path) -> AbstractContextManager[dict[str, Any]]:
    path = folder / "example.pdf"
    path.write_bytes(pdf(example.before["pages"]))
    return nullcontext({"path": str(path)})


def _excel(example: Example, folder: Path) -> AbstractContextManager[dict[str, Any]]:
    path = folder / "example.xlsx"
    write_workbook(path, {"Sheet1": example.before})
    return nullcontext({"path": str(path)})


@contextmanager
def _rest(example: Example, _: Path) -> Iterator[dict[str, Any]]:
    with Api([]) as api:
        pages = list(example.before["pages"])
        path = urlsplit(example.options["url"]).path
        api.routes[path] = lambda asked: Answer(pages[_number(asked) - 1].encode())
        yield {"url": api.url(path)}


@contextmanager
def _generate(example: Example, _: Path) -> Iterator[dict[str, Any]]:
    answers = iter(example.before["answers"])
    with model_server(lambda asked, tries: next(answers)) as server:
        yield {"endpoint": server.url, "parallel": 1}


@contextmanager
def _sql(example: Example, _: Path) -> Iterator[dict[str, Any]]:
    if missing():
        pytest.skip(missing())
    with postgres() as server, pytest.MonkeyPatch.context() as patch:
        server.run(*example.before["sql"])
        patch.setenv("PGPASSWORD", PASSWORD)
        yield {"url": server.uri()}


@contextmanager
def _web(example: Example, _: Path) -> Iterator[dict[str, Any]]:
    pages = {path: Page(text.encode()) for path, text in zip(*example.before.values(), strict=True)}
    with Site(pages, robots=None) as site:
        yield {"seeds": [site.url("/")], "allow_private": True, "per_second": 10_000}


def _frame(_: Example, __: Path) -> AbstractContextManager[dict[str, Any]]:
    return nullcontext({})  # its options hold the rows


_PLACED: dict[str, Callable[[Example, Path], AbstractContextManager[dict[str, Any]]]] = {
    "excel": _excel,
    "frame": _frame,
    "generate": _generate,
    "pdf": _pdf,
    "rest": _rest,
    "sql": _sql,
    "web": _web,
}


def _number(asked: Asked) -> int:
    return int(asked.query.get("page", 1))
