"""A web site on loopback: pages, a robots.txt, sitemaps, and whatever makes a crawler stumble.

with Site({"/": "<p>…</p>"}, robots="User-agent: *\\nDisallow: /private") as site:
    site.url("/")
    site.paths                      # what was asked for, in order
    site.faults["/b"] = ["reset"]   # what becomes of the next requests for it
    site.dies_after = 10            # it takes no connection after so many answers, until it is set to None
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

SENTENCES = (
    "The river had risen in the night, and nobody in the village had heard it come.",
    "A baker who opens at four sees the town before it knows that it is being looked at.",
    "Most of what is called weather is only the sea, thinking aloud about the land.",
    "She kept the letters in a tin that had held tea, and the tea could still be smelled.",
    "There is a kind of silence that belongs to stations after the last train has gone.",
    "He measured the garden every spring, as if it might have grown beyond its fence.",
    "The map was wrong in one place only, and that was the place where they were standing.",
)


def article(number: int, *links: str, head: str = "", lang: str = "en") -> str:
    """A page with a title, enough text to be found, and links."""
    said = [f"{SENTENCES[(number + n) % len(SENTENCES)]} This is said on page {number}." for n in range(5)]
    main = f"<h1>Page {number}</h1>" + "".join(f"<p>{text}</p>" for text in said)
    listed = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>Page {number}</title>{head}</head>'
        f"<body><nav><ul>{listed}</ul></nav><main><article>{main}</article></main></body></html>"
    )


@dataclass(frozen=True)
class Page:
    """What a path answers."""

    body: bytes
    media: str = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Before it answers."""
    drips: float = 0.0
    """Seconds between two bytes."""


def moved(to: str, status: int = 302) -> Page:
    return Page(b"", status=status, headers={"location": to})


Answers = str | Page | Callable[[str], "str | Page | None"]


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    at: float = field(compare=False, default_factory=time.monotonic)


class Site:
    """The site. A key that ends in `*` answers for all paths below it, when it is a function."""

    def __init__(self, pages: Mapping[str, Answers] | None = None, robots: str | Page | None = "") -> None:
        self.pages: dict[str, Answers] = dict(pages or {})
        if robots is not None:
            self.pages["/robots.txt"] = robots if isinstance(robots, Page) else Page(robots.encode(), "text/plain")
        self.faults: dict[str, list[str]] = {}
        self.asked: list[Asked] = []
        self.dies_after: int | None = None
        self.validates = False
        """Whether pages have an ETag, which may be asked for."""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site._answer(self)

            def log_message(self, *_: Any) -> None: ...

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    @property
    def pages_asked(self) -> list[str]:
        return [path for path in self.paths if path != "/robots.txt"]

    def _found(self, path: str) -> str | Page | None:
        plain = urlsplit(path).path
        for key in (path, plain):
            if key in self.pages:
                answers = self.pages[key]
                return answers(path) if callable(answers) else answers
        for key, answers in self.pages.items():
            if key.endswith("*") and path.startswith(key[:-1]) and callable(answers):
                return answers(path)
        return None

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            dead = self.dies_after is not None and len(self.asked) >= self.dies_after
            if not dead:
                headers = {name.lower(): value for name, value in handler.headers.items()}
                self.asked.append(Asked(handler.path, headers))
            fault = self.faults.get(handler.path, []).pop(0) if self.faults.get(handler.path) else ""
        if dead or fault == "reset":
            _reset(handler)
            return
        found = self._found(handler.path)
        page = Page(found.encode()) if isinstance(found, str) else found or Page(b"<p>not here</p>", status=404)
        if fault.isdigit():
            page = Page(b"", status=int(fault))
        extra, tag = dict(page.headers), f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
        if self.validates and page.status == 200:
            extra["etag"] = tag
            if handler.headers.get("if-none-match") == tag:
                page = Page(b"", status=304)
        time.sleep(page.seconds)
        try:
            self._send(handler, page, extra, cut=fault == "cut")
        except OSError:  # who asked has gone
            handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, page: Page, extra: Mapping[str, str], *, cut: bool) -> None:
        handler.send_response(page.status)
        if page.media and page.status != 304:
            handler.send_header("Content-Type", page.media)
        handler.send_header("Content-Length", str(len(page.body)))
        for name, value in extra.items():
            handler.send_header(name, value)
        handler.end_headers()
        if cut:
            handler.wfile.write(page.body[: len(page.body) // 2])
            handler.wfile.flush()
            _reset(handler)
        elif page.drips:
            for code in page.body:
                handler.wfile.write(bytes([code]))
                handler.wfile.flush()
                time.sleep(page.drips)
        else:
            handler.wfile.write(page.body)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked has gone."""


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """End the connection as a cable that is pulled does."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
