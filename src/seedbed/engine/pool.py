"""Runs a job on many units, here or in worker processes, a bounded number at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import Any

from seedbed.core.errors import SeedbedError

#: What a job says about a unit: counts that add up, as JSON.
Facts = dict[str, Any]
Job = Callable[[Any], Facts]

_job: Job | None = None


def _begin(job: Job) -> None:
    """Set a worker up: Ctrl-C is the main process's business, and a worker does not outlive it."""
    global _job
    _job = job
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            wait_for([parent.sentinel])
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()


def _work(unit: Any) -> Facts:
    assert _job is not None
    return _job(unit)


def run(job: Job, units: Iterable[Any], workers: int) -> Iterator[Facts]:
    """Facts of each unit, as they come. Units are taken from their iterator only as workers become free.

    Raises:
        SeedbedError: What the job raised, or a worker died (usually for want of memory).
    """
    if workers <= 1:
        yield from map(job, units)
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(job,)
    )
    waiting: set[Future[Facts]] = set()
    try:
        for unit in units:
            waiting.add(_submit(pool, unit))
            if len(waiting) > 2 * workers:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenProcessPool:
        raise SeedbedError(
            "a worker process died, most likely for want of memory",
            hint="use fewer --workers or a smaller --batch; the run resumes where it was",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, unit: Any) -> Future[Facts]:
    # A worker that is spawned imports __main__ again; an interactive session has none that can be imported.
    main = sys.modules["__main__"]
    if not getattr(main, "__spec__", None) and not os.path.exists(getattr(main, "__file__", "") or "/"):
        main.__file__ = None
    return pool.submit(_work, unit)


def add_up(total: Facts, more: Facts) -> Facts:
    """Add numbers of nested dictionaries key by key; lists of numbers place by place."""
    result = dict(total)
    for key, value in more.items():
        if key not in result:
            result[key] = value
        elif isinstance(value, dict):
            result[key] = add_up(result[key], value)
        elif isinstance(value, list):
            result[key] = [a + b for a, b in zip(result[key], value, strict=True)]
        else:
            result[key] = result[key] + value
    return result
