"""Does many pieces of work here or in worker processes, a bounded number at a time: `Workers` on one machine."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from types import TracebackType
from typing import Any

from .workers import LostWorkersError

#: Packages that import all parts of a family, by name: the engine knows no part. A worker needs few of them.
_FAMILIES = ("seedbed.sources", "seedbed.steps")
#: Times that work is done again after a process died over it.
RETRIES = 1


@dataclass(frozen=True)
class _Todo:
    """A unit, and how often a process died while it, or one beside it, was at it."""

    unit: Any
    losses: int = 0

    def lost(self) -> _Todo:
        """Once more.

        Raises:
            LostWorkersError: Once too often.
        """
        losses = self.losses + 1
        if losses > RETRIES:
            raise LostWorkersError(
                f"a worker process died {losses} times over the same piece of work, most likely for want of memory",
                hint="use fewer --workers or a smaller --batch, and start again: a run goes on where it was",
            )
        return _Todo(self.unit, losses)


class Pool(AbstractContextManager["Pool"]):
    """Worker processes, started when there is enough to do for them. They live for all passes of a run."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._processes: ProcessPoolExecutor | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._processes is None:
            return
        if isinstance(error, KeyboardInterrupt):
            self._kill(self._processes)
        self._processes.shutdown(wait=True, cancel_futures=True)

    def _kill(self, processes: ProcessPoolExecutor) -> None:
        """End the workers in the middle of their units, which appear whole or not at all."""
        if hasattr(processes, "kill_workers"):  # from Python 3.14 on
            processes.kill_workers()
            return
        for process in list((processes._processes or {}).values()):
            process.kill()

    def run(self, work: Callable[[Any], Any], units: Iterable[Any]) -> Iterator[Any]:
        """What `work` returns for each unit, as they come. Units are taken from their iterator as workers become free.

        Raises:
            SeedbedError: What the work raised.
            LostWorkersError: Workers died again and again over the same unit (usually for want of memory).
        """
        units = iter(units)
        few = list(itertools.islice(units, 2 * self.workers))
        if self.workers <= 1 or len(few) < 2 * self.workers:  # starting a process costs more than a few units
            yield from map(work, itertools.chain(few, units))
            return
        yield from self._by_processes(work, itertools.chain(few, units))

    def _by_processes(self, work: Callable[[Any], Any], units: Iterator[Any]) -> Iterator[Any]:
        """One that dies takes all others with it: what they were at is done again by new ones."""
        waiting: dict[Future[Any], _Todo] = {}
        todo = map(_Todo, units)
        again: deque[_Todo] = deque()
        try:
            while True:
                lost = False
                while len(waiting) <= 2 * self.workers and not lost:
                    one = again.popleft() if again else next(todo, None)
                    if one is None:
                        break
                    try:
                        with _as_children_see_it():  # a submit may start a process
                            waiting[self._started().submit(work, one.unit)] = one
                    except BrokenProcessPool:
                        again.append(one)
                        lost = True
                if not waiting and not lost:
                    return
                done = wait(waiting, return_when=FIRST_COMPLETED).done if waiting else set()
                if lost or any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                    self._forget()
                    done = set(waiting)  # all of them are over, one way or the other
                for future in done:
                    one = waiting.pop(future)
                    if isinstance(future.exception(), BrokenProcessPool):
                        again.append(one.lost())
                    else:
                        yield future.result()
        finally:
            for future in waiting:
                future.cancel()

    def _forget(self) -> None:
        """Let processes go of which one has died."""
        if self._processes is not None:
            self._processes.shutdown(wait=True)
            self._processes = None

    def _started(self) -> ProcessPoolExecutor:
        if self._processes is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy Polars' threads in the middle of things
            self._processes = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
        return self._processes


def _begin() -> None:
    """Set a worker up: Ctrl-C is the main process's business, and a worker does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(50_000, 20, 100)  # rows come as many small objects, none of them part of a cycle
    for package in _FAMILIES:
        _import_no_more_than_is_asked_for(package)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            wait_for([parent.sentinel])
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()


def _import_no_more_than_is_asked_for(package: str) -> None:
    """Have the import of a module of a package import that one alone: all of them take a worker half a second.

    The package imports them after all where something is asked of it that only they bring.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None or package in sys.modules:
        return
    bare, run = importlib.util.module_from_spec(spec), spec.loader.exec_module

    def asked(name: str) -> Any:
        if not name.startswith("__"):
            bare.__dict__.pop("__getattr__", None)
            run(bare)
            if name in bare.__dict__:
                return bare.__dict__[name]
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    bare.__dict__["__getattr__"] = asked
    sys.modules[package] = bare
    above, _, last = package.rpartition(".")
    setattr(sys.modules[above], last, bare)


@contextmanager
def _as_children_see_it() -> Iterator[None]:
    """What a process that is spawned now finds.

    It would import `__main__` again and so run a script that has no guard a second time; workers need nothing of it.
    Each worker gets one Polars thread, because workers, not threads, share the cores.
    """
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {
        name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__
    }
    main.__spec__ = None
    threads = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = threads or "1"
    try:
        yield
    finally:
        main.__dict__.update(hidden)
        if threads is None:
            del os.environ["POLARS_MAX_THREADS"]
