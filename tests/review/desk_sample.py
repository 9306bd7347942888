"""Queues without a run, and a server on them, for the tests of what people do."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.decision import text_hash
from seedbed.core.serving import listen
from seedbed.review.card import Card
from seedbed.review.desk import Desk, overlay_at
from seedbed.review.people import People
from seedbed.review.queue import Queue, write_queue
from seedbed.review.server import links

LABELS = ("negative", "neutral", "positive")
ALL = ("accept", "relabel", "reject", "skip")
HOSTILE = [
    '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>',
    "evil \u202e txt.exe \u200b hidden \u0000 nul",
    "\u05e9\u05dc\u05d5\u05dd great \u0645\u0631\u062d\u0628\u0627",
    "</blockquote><svg onload=window.hacked=1>",
    "=cmd|' /C calc'!A0",
    "x" * 1_000_000,
    "",
]


def items(texts: Sequence[str], split: str = "train") -> pl.DataFrame:
    """Suspects with these texts; labels go round."""
    n = len(texts)
    return pl.DataFrame(
        {
            "row": [f"mine:rows.csv#{place + 1}" for place in range(n)],
            "split": [split] * n,
            "text": list(texts),
            "label": [LABELS[place % 3] for place in range(n)],
            "suggested": [LABELS[(place + 1) % 3] for place in range(n)],
            "score": [0.9] * n,
            "kind": ["wrong" if place % 2 else "ambiguous" for place in range(n)],
            "told": ['{"rank": 1}'] * n,
            "read": [text_hash(text) for text in texts],
            "seen": [text_hash(text) for text in texts],
        },
        schema_overrides={"text": pl.String},
    )


def desk_of(folder: Path, texts: Sequence[str], name: str = "suspects", **more: Any) -> Desk:
    """A desk with one queue; decisions are in `review.jsonl`."""
    path = write_queue(items(texts), folder / f"{name}.arrow")
    queue = Queue(name, "Suspect labels", "Look at these.", path, more.pop("actions", ALL), **more)
    return Desk({name: queue}, overlay_at(folder / "review.jsonl"), LABELS, "a run", "run-1")


@dataclass
class Reviewed:
    """A running server."""

    links: dict[str, str]

    def ask(self, who: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a request by a person; nobody, if the name is empty."""
        base = next(iter(self.links.values())).partition("#")[0]
        if who:
            headers["Authorization"] = f"Bearer {self.links[who].partition('#')[2]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(base.rstrip("/") + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def headers(self, path: str) -> dict[str, str]:
        """Of an answer."""
        base = next(iter(self.links.values())).partition("#")[0]
        with urllib.request.urlopen(base.rstrip("/") + path, timeout=60) as reply:
            return {name.lower(): value for name, value in reply.headers.items()}


@contextmanager
def reviewing(desk: Desk, people: Sequence[str] = ("ana", "ben"), card: Card | None = None) -> Iterator[Reviewed]:
    """The real server in a thread; it is gone afterwards."""
    import uvicorn

    from seedbed.review.api import make_app

    listening: socket.socket = listen("127.0.0.1", 0)
    them = People.named(people)
    app = make_app(desk, them, host="127.0.0.1", card=card)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Reviewed(links(listening, them))
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def lines(desk: Desk) -> list[dict[str, Any]]:
    """What stands in the file."""
    path = desk.overlay.path
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
