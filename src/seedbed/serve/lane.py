"""Requests wait here for the model, in order, and are answered together where several wait.

Nobody is kept waiting so that more may come: whoever finds a thread that has nothing to do is answered alone. What came
while all were busy is one batch (up to so many rows). Most of what a row costs is paid once a batch, so that a server
does the more a second the more it is asked.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from seedbed.core.errors import ModelError

from .limits import Limits

#: Seconds that a client is told to wait, at most, before it asks again.
_LONGEST_WAIT = 60
#: How much the newest answer counts in what an answer takes, as a rule.
_NEWEST = 0.1

Done = Callable[[Any, BaseException | None], None]


class FullError(Exception):
    """As many requests wait as may.

    Args:
        after: Seconds after which it is worth asking again.
        problem: What there is too much of.
    """

    def __init__(self, after: int, problem: str = "too many requests wait for an answer") -> None:
        super().__init__(after, problem)
        self.after, self.problem = after, problem


class LateError(Exception):
    """A request waited longer than it may."""


@dataclass(eq=False)
class _Job:
    version: Any
    rows: pl.DataFrame
    done: Done
    until: float
    given_up: threading.Event = field(default_factory=threading.Event)


class Lane:
    """Some threads and the requests that wait for them.

    Args:
        answer: Answers rows of a version, as many as it is given, in their order. Threads may call it at once.
        limits: How many threads, and how many may wait.
    """

    def __init__(self, answer: Callable[[Any, pl.DataFrame], Sequence[Any]], limits: Limits) -> None:
        self._answer, self.limits = answer, limits
        self._jobs: deque[_Job] = deque()
        self._news = threading.Condition()
        self._busy = 0
        self._ended = False
        self._pace = 0.01  # seconds of a thread for a request
        self._threads = [
            threading.Thread(target=self._work, name=f"answers-{number}", daemon=True)
            for number in range(limits.threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._jobs)

    @property
    def busy(self) -> int:
        """Threads that answer."""
        return self._busy

    @property
    def alive(self) -> bool:
        """Whether anybody is there to answer."""
        return not self._ended and all(thread.is_alive() for thread in self._threads)

    async def ask(self, version: Any, rows: pl.DataFrame) -> Sequence[Any]:
        """Answers to rows, in their order.

        Raises:
            FullError: Too many wait.
            LateError: It took longer than a request may.
        """
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Sequence[Any]] = loop.create_future()

        def settle(told: Any, error: BaseException | None) -> None:
            if found.done():
                return
            if error is None:
                found.set_result(told)
            else:
                found.set_exception(error)

        def done(told: Any, error: BaseException | None) -> None:
            loop.call_soon_threadsafe(settle, told, error)

        job = _Job(version, rows, done, time.monotonic() + self.limits.seconds)
        with self._news:
            if self._ended or len(self._jobs) >= self.limits.waiting:
                raise FullError(self._worth_asking_after())
            self._jobs.append(job)
            self._news.notify()
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await found
        except TimeoutError:
            raise LateError from None
        finally:
            job.given_up.set()

    def _worth_asking_after(self) -> int:
        seconds = self._pace * (len(self._jobs) + self._busy) / self.limits.threads
        return min(max(math.ceil(seconds), 1), _LONGEST_WAIT)

    def end(self, seconds: float = 1.0) -> None:
        """Answer nobody who comes from now on; threads end with what they are doing."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while jobs := self._next():
            began = time.perf_counter()
            try:
                self._do(jobs)
            finally:
                with self._news:
                    self._busy -= 1
                    self._pace += _NEWEST * ((time.perf_counter() - began) / len(jobs) - self._pace)

    def _next(self) -> list[_Job]:
        """What is to be answered now; nothing when it is over."""
        with self._news:
            while True:
                while not self._jobs and not self._ended:
                    self._news.wait()
                if self._ended and not self._jobs:
                    return []
                if jobs := self._batch():
                    self._busy += 1
                    return jobs

    def _batch(self) -> list[_Job]:
        """The first that wait and can be answered together, but for those for whom nobody waits any more."""
        found: list[_Job] = []
        height, now = 0, time.monotonic()
        while self._jobs:
            job = self._jobs[0]
            if job.given_up.is_set() or job.until < now:
                self._jobs.popleft()
                continue
            alike = not found or (job.version is found[0].version and job.rows.schema == found[0].rows.schema)
            if not alike or (found and height + job.rows.height > self.limits.together):
                break
            found.append(self._jobs.popleft())
            height += job.rows.height
        return found

    def _do(self, jobs: list[_Job]) -> None:
        try:
            rows = jobs[0].rows if len(jobs) == 1 else pl.concat([job.rows for job in jobs])
            told = self._answer(jobs[0].version, rows)
            if len(told) != rows.height:
                raise ModelError(f"{rows.height} rows were asked about, and {len(told)} answered", at="the model")
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and the thread goes on
            if len(jobs) == 1:
                jobs[0].done(None, error)
                return
            for job in jobs:  # one of them is to blame, and the others are not to suffer
                self._do([job])
            return
        start = 0
        for job in jobs:
            job.done(told[start : start + job.rows.height], None)
            start += job.rows.height
