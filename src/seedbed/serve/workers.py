"""Several processes at one socket, each with a model of its own; one that dies is replaced."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, get_context
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from seedbed.core.errors import ModelError, SeedbedError

from .metrics import SHARED
from .server import Opened, Source, Terms, ended_by_signals, open_fit, serve, unfailing

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

#: Seconds between two attempts to replace a process that does not come up.
_PAUSES = (0.5, 1, 2, 5, 10, 30)


class Workers:
    """The processes of one server, from their start to their end.

    Args:
        source: Where the model comes from; it is sent to each process.
        listening: From `listen`.
        terms: How the model is served.
        count: Processes.
        complain: Told of failures.
    """

    def __init__(
        self, source: Source, listening: socket.socket, terms: Terms, count: int, complain: Callable[[str], None]
    ) -> None:
        self.source, self.listening, self.terms, self.count = source, listening, terms, count
        self.complain = unfailing(complain)
        self._processes: dict[BaseProcess, Connection] = {}
        self._ready: set[BaseProcess] = set()
        self._failed = 0
        self._shared = TemporaryDirectory(prefix="seedbed-metrics-", ignore_cleanup_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self) -> Opened:
        """Start all; tells what they serve, once each of them does.

        Raises:
            SeedbedError: One could not.
        """
        for _ in range(self.count):
            self._add()
        told = [self._hear(process) for process in list(self._processes)]
        return told[0]

    def watch(self) -> None:
        """Replace those that die, until this process is told to stop.

        Raises:
            KeyboardInterrupt: It was.
        """
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: self._pass_on(signal.SIGHUP))
        while True:
            waited: list[Any] = [process.sentinel for process in self._processes]
            waited += [pipe for process, pipe in self._processes.items() if process not in self._ready]
            connection.wait(waited, timeout=1.0)
            for process, pipe in list(self._processes.items()):
                if process not in self._ready and pipe.poll():
                    self._listen(process, pipe)
                if not process.is_alive():
                    self._replace(process)

    def _listen(self, process: BaseProcess, pipe: Connection) -> None:
        with suppress(EOFError, OSError):
            said = pipe.recv()
            if isinstance(said, SeedbedError):
                self.complain(f"a process could not start: {said.in_a_line()}")
            else:
                self._ready.add(process)
                self._failed = 0

    def _replace(self, process: BaseProcess) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        self._processes.pop(process).close()
        # What it was doing when it died, and which version it had, is not so any more; what it counted stays.
        mark_process_dead(process.pid, self._shared.name)  # type: ignore[no-untyped-call]
        if process in self._ready:
            self._ready.discard(process)
            self.complain(f"a process of the server died (exit code {process.exitcode}); another takes its place")
        else:
            time.sleep(_PAUSES[min(self._failed, len(_PAUSES) - 1)])
            self._failed += 1
        self._add()

    def _add(self) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(self.source, self.listening, self.terms, theirs, self._shared.name)
        )
        process.start()
        theirs.close()
        self._processes[process] = ours

    def _hear(self, process: BaseProcess) -> Opened:
        try:
            said = self._processes[process].recv()
        except EOFError:
            process.join(5)
            said = ModelError(f"a process of the server ended before it served (exit code {process.exitcode})")
        if isinstance(said, SeedbedError):
            raise said
        assert isinstance(said, Opened)
        self._ready.add(process)
        return said

    def _pass_on(self, what: int) -> None:
        for process in self._processes:
            if process.pid is not None and process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, what)

    def _end(self) -> None:
        """All end: what they are asked now is answered, if it takes no longer than the terms allow."""
        self._pass_on(signal.SIGTERM)
        self.listening.close()  # whoever comes now is refused, and waits for nobody
        until = time.monotonic() + self.terms.limits.grace + 3
        try:
            for process in self._processes:
                process.join(max(0.1, until - time.monotonic()))
        finally:  # who is told twice to end ends at once
            for process in self._processes:
                if process.is_alive():
                    process.kill()
                process.join()
            self._shared.cleanup()


def _work(source: Source, listening: socket.socket, terms: Terms, parent: Connection, shared: str) -> None:
    """What each process does."""
    os.environ[SHARED] = shared  # before prometheus-client is imported
    try:
        with ended_by_signals():
            version, told = open_fit(source, terms.host)
            parent.send(told)
            threading.Thread(target=_end_with, args=[parent], daemon=True).start()
            serve(source, version, listening, terms, complain=_complain)
    except SeedbedError as error:
        with suppress(OSError):
            parent.send(error)
    except KeyboardInterrupt:
        os._exit(0)  # all is done; Python would tidy up for seconds


def _end_with(parent: Connection) -> None:
    """Nobody would end a process whose parent was killed."""
    with suppress(EOFError, OSError):
        parent.recv()
    os.kill(os.getpid(), signal.SIGTERM)


def _complain(text: str) -> None:
    os.write(2, f"{text}\n".encode("utf-8", "replace"))
