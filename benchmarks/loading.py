"""Asks a server over and over, with as little work of its own as can be, and some who mean it ill."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

TEXT = "the film was really quite long with a cast of people who act and sing about life in town at night"
WORDS = TEXT.split()
OPINIONS = ("great", "awful", "fine", "poor", "brilliant", "dreadful", "lovely", "boring")


@dataclass
class Told:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    status: Counter[int] = field(default_factory=Counter)
    """Of those that were well-formed; 0 where the connection broke."""
    hostile: Counter[int] = field(default_factory=Counter)
    spent: float = 0.0

    @property
    def a_second(self) -> float:
        return self.status[200] / self.spent

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        return float(np.percentile(self.seconds, share)) * 1000

    @property
    def failed(self) -> int:
        """Well-formed requests without an answer."""
        return sum(count for status, count in self.status.items() if status != 200)

    @property
    def broken(self) -> int:
        """Hostile ones that made the server fail."""
        return sum(count for status, count in self.hostile.items() if status >= 500)


def texts(count: int, seed: int = 13) -> list[str]:
    """Texts of 5 to 40 words."""
    draw = random.Random(seed)
    return [" ".join([*draw.choices(WORDS, k=draw.randint(4, 39)), draw.choice(OPINIONS)]) for _ in range(count)]


def request(body: bytes, path: str = "/predict") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return head.encode() + b"\r\n" + body


def of_text(text: str) -> bytes:
    return request(json.dumps({"text": text}).encode())


#: What is sent by those who mean it ill; half of it is no request at all, or never comes to its end.
HOSTILE: Sequence[bytes] = (
    request(b'{"text": '),
    request(b"[" * 100_000),
    request(json.dumps({"text": "a" * 200_000}).encode()),
    request(json.dumps({"rows": [{"x": 1}] * 2000}).encode()),
    request(json.dumps({"text": "<script>alert(1)</script>"}).encode(), "/../../etc/passwd"),
    request(b'{"text": "\\ud800"}'),
    request(b"\xff\xfe\x00"),
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000000000\r\n\r\n{",
    b"POST /predict HTTP/1.1\r\nX-Slow:",
)


async def load(port: int, asked: Sequence[bytes], *, at_once: int, seconds: float, hostile: float = 0.0) -> Told:
    """Ask, so many at once, for so long.

    Args:
        port: Of this machine.
        asked: Requests, taken in turn.
        at_once: Connections; each sends its next request when it has its answer.
        seconds: How long.
        hostile: Share of requests that mean it ill, each on a connection of its own.
    """
    told, began = Told(), time.perf_counter()
    until, turn = began + seconds, iter(_round(asked))
    ill: set[asyncio.Task[None]] = set()
    draw = random.Random(7)

    async def client() -> None:
        reader = writer = None
        while time.perf_counter() < until:
            if hostile and draw.random() < hostile:
                task = asyncio.create_task(_attack(port, draw.choice(HOSTILE), told))
                ill.add(task)
                task.add_done_callback(ill.discard)
            start = time.perf_counter()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(next(turn))
                status = await asyncio.wait_for(_status(reader), 120)
            except (OSError, EOFError, ValueError, TimeoutError):
                status, writer = 0, None
            told.status[status] += 1
            told.seconds.append(time.perf_counter() - start)
        if writer is not None:
            writer.close()

    await asyncio.gather(*(client() for _ in range(at_once)))
    told.spent = time.perf_counter() - began
    if ill:
        await asyncio.wait(ill, timeout=60)
    return told


def _round(asked: Sequence[bytes]) -> Iterator[bytes]:
    while True:
        yield from asked


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(lines[0].split(b" ")[1])


async def _attack(port: int, sent: bytes, told: Told) -> None:
    """Send something, and wait until the server answers or hangs up."""
    status = 0
    with contextlib.suppress(OSError, EOFError, ValueError, TimeoutError, StopIteration):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            writer.write(sent)
            line = await asyncio.wait_for(reader.readline(), 60)
            status = int(line.split(b" ")[1]) if line else 0
    told.hostile[status] += 1


def memory(pid: int) -> float:
    """MB of a process and of those below it: each page in equal shares of those that map it (PSS)."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6
