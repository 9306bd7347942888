"""A real API on loopback: it hands out its items in pages, wants to know who asks, and fails where it is told to.

with Api([{"id": 1, "text": "a"}]) as api:
    api.url("/page?size=10")        # also /next /link /offset /cursor /plain /xml /deep
    api.wants = Bearer("secret")    # 401 for everybody else
    api.faults[3] = "500"           # what becomes of the third request
    api.cut_after = 1_000           # the connection breaks after so many bytes, once
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

Item = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float = field(compare=False, default_factory=time.monotonic)


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


def as_json(value: Any, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), headers={"content-type": "application/json", **headers})


@dataclass(frozen=True)
class Bearer:
    token: str

    def knows(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {self.token}"


@dataclass(frozen=True)
class Basic:
    user: str
    password: str

    def knows(self, asked: Asked) -> bool:
        told = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return asked.headers.get("authorization") == f"Basic {told}"


@dataclass(frozen=True)
class Header:
    name: str
    value: str

    def knows(self, asked: Asked) -> bool:
        return asked.headers.get(self.name.lower()) == self.value


@dataclass(frozen=True)
class Query:
    name: str
    value: str

    def knows(self, asked: Asked) -> bool:
        return asked.query.get(self.name) == self.value


@dataclass
class OAuth:
    """Tokens for a client at /token; each is good for so many requests."""

    client: str
    secret: str
    uses: int = 1_000
    token_secret: str = ""
    """The secret as the header has it, where that differs."""
    issued: list[str] = field(default_factory=list)
    _left: int = 0

    def knows(self, asked: Asked) -> bool:
        known = bool(self.issued) and asked.headers.get("authorization") == f"Bearer {self.issued[-1]}"
        self._left -= known
        return known and self._left >= 0

    def token(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        basic = Basic(self.client, self.token_secret or self.secret).knows(asked)
        if not basic and (form.get("client_id"), form.get("client_secret")) != (self.client, self.secret):
            return Answer(b'{"error": "invalid_client"}', 401)
        self.issued.append(f"token-{len(self.issued) + 1}-{self.secret[::-1]}")
        self._left = self.uses
        return as_json({"access_token": self.issued[-1], "token_type": "Bearer", "expires_in": 3600})


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that go away."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None: ...


class Api:
    """The server, for `with`; `items` may change at any time."""

    def __init__(self, items: list[Item], *, certificate: tuple[Path, Path] | None = None) -> None:
        self.items = items
        self.wants: Bearer | Basic | Header | Query | OAuth | None = None
        self.faults: dict[int, str] = {}
        self.always = ""
        self.cut_after: int | None = None
        self.asked: list[Asked] = []
        self.routes: dict[str, Callable[[Asked], Answer]] = {
            "/next": self._next,
            "/link": self._link,
            "/page": self._page,
            "/offset": self._offset,
            "/cursor": self._cursor,
            "/plain": self._plain,
            "/xml": self._xml,
        }
        self.sent = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, certificate))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def url(self, path: str, host: str = "") -> str:
        return f"{self._scheme}://{host or self.host}{path}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- pages

    def _cut(self, asked: Asked) -> tuple[int, int]:
        size = int(asked.query.get("size", 10))
        return (int(asked.query.get("page", 1)) - 1) * size, size

    def _known(self, asked: Asked) -> list[Item]:
        since = asked.query.get("since")
        return [one for one in self.items if since is None or str(one["updated"]) > since]

    def _next(self, asked: Asked) -> Answer:
        start, size = self._cut(asked)
        held = self._known(asked)
        told: dict[str, Any] = {"data": {"items": held[start : start + size]}, "count": len(held)}
        told["next"] = self._address(asked, start // size + 2) if start + size < len(held) else None
        return as_json(told)

    def _link(self, asked: Asked) -> Answer:
        start, size = self._cut(asked)
        held = self._known(asked)
        links = [f'<{self._address(asked, 1)}>; rel="first"']
        if start + size < len(held):
            links.insert(0, f'<{self._address(asked, start // size + 2)}>; rel="next"')
        return as_json(held[start : start + size], Link=", ".join(links))

    def _page(self, asked: Asked) -> Answer:
        start, size = self._cut(asked)
        return as_json({"results": self._known(asked)[start : start + size]})

    def _offset(self, asked: Asked) -> Answer:
        start, size = int(asked.query.get("offset", 0)), int(asked.query.get("limit", 10))
        held = self._known(asked)
        return as_json({"total": len(held), "rows": held[start : start + size]})

    def _cursor(self, asked: Asked) -> Answer:
        body = json.loads(asked.body) if asked.body else {}
        start, size = int(body.get("after") or asked.query.get("after") or 0), 10
        held = self._known(asked)
        more = start + size < len(held)
        meta = {"cursor": str(start + size) if more else None, "has_more": more}
        return as_json({"items": held[start : start + size], "meta": meta})

    def _plain(self, asked: Asked) -> Answer:
        return as_json(self._known(asked))

    def _xml(self, asked: Asked) -> Answer:
        start, size = self._cut(asked)
        held = self._known(asked)
        page = held[start : start + size]
        items = "".join(f'<item id="{one["id"]}"><text>{escape(str(one["text"]))}</text></item>' for one in page)
        more = f"<next>{escape(self._address(asked, start // size + 2))}</next>" if start + size < len(held) else ""
        return Answer(f"<feed>{items}{more}</feed>".encode(), headers={"content-type": "application/xml"})

    def _address(self, asked: Asked, page: int) -> str:
        return self.url(f"{asked.path}?{urlencode({**asked.query, 'page': str(page)})}")

    # -- answers

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/token" and isinstance(self.wants, OAuth):
            return self.wants.token(asked)
        if self.wants and not self.wants.knows(asked):
            return Answer(b'{"error": "who are you?"}', 401)
        if asked.path.startswith("/status/"):
            return Answer(b'{"error": "as you wish"}', int(asked.path.rpartition("/")[2]))
        if asked.path not in self.routes:
            return Answer(b'{"error": "no such place"}', 404)
        return self.routes[asked.path](asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                parts = urlsplit(self.path)
                asked = Asked(
                    self.command,
                    parts.path,
                    {name: values[0] for name, values in parse_qs(parts.query).items()},
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(size),
                )
                with api._lock:
                    api.asked.append(asked)
                    number = len(api.asked)
                api._send(self, asked, api.faults.get(number, api.always))

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        return Handler

    def _send(self, handler: BaseHTTPRequestHandler, asked: Asked, fault: str) -> None:
        kind, _, value = fault.partition(":")
        answer = _spoilt(self.answer(asked), kind, value)
        headers, body = dict(answer.headers), answer.body
        if kind == "chunk":
            headers["transfer-encoding"] = "chunked"
            body = b"%x\r\n" % (len(body) + 10) + body
        elif kind != "drip":
            headers["content-length"] = str(len(body) + (100 if kind == "short" else 0))
        head = f"HTTP/1.1 {answer.status} Said\r\n" + "".join(f"{name}: {text}\r\n" for name, text in headers.items())
        try:
            self._write(handler, head.encode() + b"\r\n" + body, kind)
        except OSError:
            handler.close_connection = True

    def _write(self, handler: BaseHTTPRequestHandler, data: bytes, kind: str) -> None:
        match kind:
            case "silence":
                self._stopped.wait(5)
                handler.close_connection = True
            case "drip":
                handler.wfile.write(data)
                while not self._stopped.wait(0.02):
                    handler.wfile.write(b" ")
            case "headers":
                while not self._stopped.wait(0.02):
                    handler.wfile.write(data[:1])
                    data = data[1:] or b"x: y\r\n"
            case "reset":
                handler.wfile.write(data[: -len(data) // 3])
                reset(handler)
            case _ if self.cut_after is not None and self.sent + len(data) > self.cut_after:
                handler.wfile.write(data[: max(self.cut_after - self.sent, 0)])
                self.cut_after = None
                reset(handler)
            case _:
                handler.wfile.write(data)
                self.sent += len(data)
                handler.close_connection = kind in ("chunk", "short") or handler.close_connection


def _spoilt(answer: Answer, kind: str, value: str) -> Answer:
    """What is sent in an answer's place, where a fault is of what is said and not of how it is sent."""
    match kind:
        case "html":
            page = b"<!DOCTYPE html><html><body>Please log in</body></html>"
            return Answer(page, headers={"content-type": value})
        case "bom":
            return replace(answer, body=b"\xef\xbb\xbf" + answer.body)
        case "gzip":
            return Answer(gzip.compress(answer.body), headers={**answer.headers, "content-encoding": "gzip"})
        case "bomb":
            return Answer(gzip.compress(bytes(int(value))), headers={"content-encoding": "gzip"})
        case "lie" | "brotli":
            coding = "gzip" if kind == "lie" else "br"
            return replace(answer, headers={**answer.headers, "content-encoding": coding})
        case "redirect":
            return Answer(b"", 302, {"location": value})
        case "body":
            return replace(answer, body=value.encode())
    if kind.isdigit():
        return Answer(b'{"error": "not now"}', int(kind), {"retry-after": value} if value else {})
    return answer


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection, without a goodbye."""
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
