"""What any server here does with clients that do not read, say nothing, or are too many."""

from __future__ import annotations

import asyncio
import http.client
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from seedbed.core import serving
from seedbed.core.serving import Receive, Scope, Send, listen, make_server

LONG = 32 << 20
GET = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """As much as is asked for: `/long` gives more than any socket holds."""
    if scope["path"] == "/slow":
        await asyncio.sleep(0.02)
    body = b"x" * LONG if scope["path"] == "/long" else b"short"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def at_work(**terms: Any) -> Iterator[tuple[Any, tuple[str, int]]]:
    """A server, and where it is."""
    place = listen("127.0.0.1", 0)
    server = make_server(app, grace=1, **terms)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        until(lambda: server.started)
        yield server, place.getsockname()
    finally:
        server.should_exit = True
        thread.join(30)


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_does_not_read_is_hung_up_on() -> None:
    with at_work(read_seconds=0.3) as (server, place), socket.create_connection(place, timeout=30) as deaf:
        deaf.sendall(GET % b"long")
        until(lambda: len(server.server_state.connections) == 1)
        until(lambda: not server.server_state.connections)
        got = 0
        with suppress(ConnectionError):
            while piece := deaf.recv(1 << 20):
                got += len(piece)
        assert got < LONG


def test_who_reads_slowly_gets_all() -> None:
    with at_work(read_seconds=0.3) as (_, place), socket.create_connection(place, timeout=30) as slow:
        slow.sendall(GET % b"long")
        got, began = 0, time.monotonic()
        while piece := slow.recv(1 << 20):
            got += len(piece)
            time.sleep(0.02)
        assert got > LONG
        assert time.monotonic() - began > 0.3  # longer than who does not read has


def test_many_who_say_nothing_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 5)
    with at_work(head_seconds=25) as (server, place):
        idle = [socket.create_connection(place, timeout=30) for _ in range(12)]
        until(lambda: len(server.server_state.connections) == 5)
        for _ in range(3):
            with urllib.request.urlopen(f"http://{place[0]}:{place[1]}/", timeout=20) as reply:
                assert reply.read() == b"short"
        assert len(server.server_state.connections) <= 5
        for one in idle:
            one.close()


def test_at_the_end_answers_say_that_they_are_the_last() -> None:
    told: list[str | None] = []

    def ask(place: tuple[str, int]) -> None:
        connection = http.client.HTTPConnection(*place, timeout=20)
        while True:
            connection.request("GET", "/slow")
            with connection.getresponse() as reply:
                assert reply.read() == b"short"
                last = reply.headers.get("connection")
            told.append(last)
            if last == "close":
                return

    with at_work() as (server, place), ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, place) for _ in range(8)]
        until(lambda: len(told) > 50)
        server.should_exit = True
        for one in asking:
            one.result()  # none was hung up on
    assert "close" in told


_FEW_FILES = """
import resource, socket, sys, time
sys.path.insert(0, {tests!r})
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
import test_serving_patience as tried
with tried.at_work(head_seconds=1.0) as (server, place):
    spare = [open("/dev/null") for _ in range(14)]
    idle = []
    try:
        while True:
            idle.append(socket.create_connection(place, timeout=5))
    except OSError:
        time.sleep(1)
    for one in spare + idle:
        one.close()
    tried.until(lambda: tried.answers(place))
print("answers")
"""


def answers(place: tuple[str, int]) -> bool:
    """Whether it does now."""
    try:
        with urllib.request.urlopen(f"http://{place[0]}:{place[1]}/", timeout=2) as reply:
            return bool(reply.read() == b"short")
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of open files")
def test_too_few_files_are_told_in_a_line_and_got_over() -> None:
    code = _FEW_FILES.format(tests=__file__.rpartition("/")[0])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "answers\n", done.stderr[-500:]
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 3 and "too many files are open" in done.stderr, done.stderr[-500:]
