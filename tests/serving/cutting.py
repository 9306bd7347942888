"""Stands between a client and a server, and cuts the connection after so many bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Cutter:
    """A port that leads to another.

    Attributes:
        port: On 127.0.0.1.
        left: Bytes of answers that still pass; all when none.
        passed: Bytes of answers that have passed.
    """

    port: int
    left: int | None = None
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def let(self, data: bytes) -> bytes:
        """What passes of some bytes."""
        with self.lock:
            data = data if self.left is None else data[: self.left]
            self.left = None if self.left is None else self.left - len(data)
            self.passed += len(data)
        return data


@contextmanager
def cutting(port: int) -> Iterator[Cutter]:
    """A cutter in front of a port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        cutter = Cutter(listening.getsockname()[1])
        threading.Thread(target=_serve, args=(listening, port, cutter), daemon=True).start()
        yield cutter


def _serve(listening: socket.socket, port: int, cutter: Cutter) -> None:
    with suppress(OSError):  # closed: the test is over
        while True:
            near = listening.accept()[0]
            threading.Thread(target=_connect, args=(near, port, cutter), daemon=True).start()


def _connect(near: socket.socket, port: int, cutter: Cutter) -> None:
    with near, socket.create_connection(("127.0.0.1", port)) as far:
        asking = threading.Thread(target=_pass, args=(near, far, None), daemon=True)
        asking.start()
        _pass(far, near, cutter)
        asking.join()


def _pass(here: socket.socket, there: socket.socket, cutter: Cutter | None) -> None:
    with suppress(OSError):
        while data := here.recv(4096):
            passing = cutter.let(data) if cutter else data
            there.sendall(passing)
            if len(passing) < len(data):
                break
    for one in (here, there):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
