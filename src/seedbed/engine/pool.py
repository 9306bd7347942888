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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import wait as wait_for
from types import TracebackType
from typing import Any

from .workers import LostWorkersError

#: Packages that import all parts of a family, by name: the engine knows no part. A worker needs few of them.
_FAMILIES = ("seedbed.sources", "seedbed.steps")


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
            LostWorkersError: A worker died (usually for want of memory).
        """
        units = iter(units)
        few = list(itertools.islice(units, 2 * self.workers))
        if self.workers <= 1 or len(few) < 2 * self.workers:  # starting a process costs more than a few units
            yield from map(work, itertools.chain(few, units))
            return
        waiting: set[Future[Any]] = set()
        try:
            for unit in itertools.chain(few, units):
                with _as_children_see_it():  # a submit may start a process
                    waiting.add(self._started().submit(work, unit))
                if len(waiting) > 2 * self.workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool:
            raise LostWorkersError(
                "a worker process died, most likely for want of memory",
                hint="use fewer --workers or a smaller --batch, and start again: a run goes on where it was",
            ) from None
        finally:
            for future in waiting:
                future.cancel()

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
