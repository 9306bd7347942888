"""A web server of files on loopback: with ranges or without, with validators or without, cut where a test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it holds and how it behaves; what it was asked for."""

    files: dict[str, bytes]
    """By path, with the `/`."""
    ranges: bool = True
    validators: bool = True
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off, one an answer."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Answered instead of a file."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of each request."""
    url: str = ""

    def got(self, method: str = "GET") -> list[str]:
        """Paths that were asked for by a method."""
        return [path for one, path, _ in self.asked if one == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: FileServer

    def do_GET(self) -> None:
        held, body = self.held, self.held.files.get(self.path.partition("?")[0])
        wanted = self.headers.get("Range", "")
        held.asked.append((self.command, self.path, wanted))
        status = held.statuses.get(self.path, 200 if body is not None else 404)
        if body is None or status != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        same = self.headers.get("If-Range", etag) == etag
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted and held.ranges and same else None
        self._begin(body, start, etag if held.validators else "")
        cut = held.cuts.pop(0) if held.cuts else None
        self.wfile.write(body[start or 0 :][:cut])
        self.close_connection = cut is not None

    def _begin(self, body: bytes, start: int | None, etag: str) -> None:
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Length", str(len(body) - (start or 0)))
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def file_server(files: Mapping[str, bytes]) -> Iterator[FileServer]:
    """A server that stops with the body."""
    held = FileServer(dict(files))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"held": held}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
