"""A model, served by the real command in a process of its own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

READY = 60
"""Seconds that a server may take to start on a busy machine."""


@dataclass
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen[str]
    lines: queue.Queue[str]

    def ask(self, path: str, body: object = None, *, raw: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a request."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if data is not None else {}
        request = urllib.request.Request(self.url + path, data, kind | headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def said(self) -> str:
        """What it has printed."""
        return "".join(self.lines.queue)


@contextmanager
def serving(*arguments: object) -> Iterator[Served]:
    """`seedbed serve` at any free port; it is gone afterwards."""
    command = [sys.executable, "-m", "seedbed", "serve", *map(str, arguments), "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=environment
    )
    lines: queue.Queue[str] = queue.Queue()
    first: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            first.put(line)
            lines.put(line)
        first.put("")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        said = first.get(timeout=READY)
        assert " is served at http" in said, said + "".join(lines.queue)
        yield Served(said.split(" is served at ")[1].split()[0], process, lines)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()
