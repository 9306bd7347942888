"""An application on a real socket, in this process."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from seedbed.core.serving import address_of, listen, make_server


@dataclass
class Site:
    """It, while it listens."""

    app: Any
    url: str
    server: Any

    @property
    def service(self) -> Any:
        """What its routes share."""
        return self.app.state.service

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON (or text) and headers of a request."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if data is not None else {}
        request = urllib.request.Request(self.url + path, data, kind | headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, _read(reply), dict(reply.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read(error), dict(error.headers)

    def raw(self, sent: bytes) -> bytes:
        """What comes back for some bytes, until the server hangs up."""
        with socket.create_connection(self.place, timeout=30) as connection:
            pieces = []
            with suppress(ConnectionError):
                connection.sendall(sent)
                while piece := connection.recv(65536):
                    pieces.append(piece)
        return b"".join(pieces)

    def counted(self, line: str) -> float:
        """A number of /metrics, 0 where it is not there."""
        text = self.service.metrics.text()[0].decode()
        return sum(float(one.rsplit(" ", 1)[1]) for one in text.splitlines() if one.startswith(line))


def _read(reply: Any) -> Any:
    text = reply.read().decode()
    return json.loads(text) if reply.headers.get("Content-Type", "").startswith("application/json") else text


@contextmanager
def listening(app: Any, *, head_seconds: float = 10.0, grace: int = 5) -> Iterator[Site]:
    """Serve an application at any free port."""
    place = listen("127.0.0.1", 0)
    server = make_server(app, grace=grace, head_seconds=head_seconds)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    site = Site(app, address_of(place), server)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield site
    finally:
        server.should_exit = True
        thread.join(30)
        app.state.service.end()
        assert not thread.is_alive()
