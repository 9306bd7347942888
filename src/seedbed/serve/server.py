"""Listens, serves until it is told to stop, and ends cleanly."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from seedbed.core.errors import SeedbedError
from seedbed.core.serving import serve_app

from .api import check_needs, make_app
from .keys import Keys
from .limits import Limits
from .predictor import Predictor
from .reloading import Watcher
from .server_name import is_here
from .service import Service, Version
from .standing import owed


class WithheldError(SeedbedError):
    """A model is not shown to others while its papers are not in order (exit code 1)."""


class Source(Protocol):
    """Where versions of a model come from."""

    def standing(self) -> str:
        """Which version a person means now: another text as soon as there is another version."""

    def open(self) -> Version:
        """That version.

        Raises:
            SeedbedError: It cannot be opened.
        """


@dataclass(frozen=True)
class Terms:
    """How a model is served."""

    host: str = "127.0.0.1"
    limits: Limits = field(default_factory=Limits)
    keys: Path | None = None
    """The file of those who may ask; None where anybody may."""
    origins: tuple[str, ...] = ()
    """Web pages that may ask from a browser."""
    say_requests: bool = False
    """Whether a line of JSON is written for each request."""
    watch: float = 2.0
    """Seconds after which it is looked whether there is another version; 0 for never, but when told (SIGHUP)."""


@dataclass(frozen=True)
class Opened:
    """What a person is told of a model that is served."""

    name: str
    difference: float
    """The largest difference of its golden examples."""
    debts: tuple[str, ...]
    tabular: bool = False
    """Whether it reads columns, whose numbers and categories a log keeps as they are."""


def refuse_unfit(predictor: Predictor, host: str) -> tuple[str, ...]:
    """Refuse to show a model to other machines while a gate fails or a question is blank; tells what is owed.

    To its maker, on this machine, it is shown with a banner that says so.

    Raises:
        WithheldError: Something is owed, and others would see the model.
    """
    debts = owed(predictor.run)
    if debts and not is_here(host):
        more = f" (and {len(debts) - 1} more)" if len(debts) > 1 else ""
        raise WithheldError(
            f"this model is not served to other machines: {debts[0]}{more}",
            at=f"--host {host}",
            hint="mend that, answer card.yaml or waive it in the recipe with a reason, and run again; "
            "on this machine (without --host) it is served with a banner",
        )
    return debts


def open_fit(source: Source, host: str) -> tuple[Version, Opened]:
    """A version that may be served: its papers are in order, and its golden examples reproduce.

    Raises:
        SeedbedError: It is none, or is not to be shown to others.
    """
    version = source.open()
    try:
        debts = refuse_unfit(version.predictor, host)
        predictor = version.predictor
        told = Opened(predictor.name, predictor.check_golden(), debts, predictor.bundle.task.alike_if_equal)
    except BaseException:
        version.close()
        raise
    return version, told


def serve(
    source: Source, version: Version, listening: socket.socket, terms: Terms, *, complain: Callable[[str], None]
) -> None:
    """Serve a model until Ctrl-C, or a signal to end.

    Args:
        source: Where other versions come from.
        version: The one to begin with, from `open_fit`.
        listening: From `listen`.
        terms: How.
        complain: Told of failures.

    Raises:
        KeyboardInterrupt: It was told to stop, and has.
        MissingExtraError: The web server is not installed.
        RecipeError: There are no such keys.
    """
    check_needs()
    complain = unfailing(complain)
    keys = _Keys(terms.keys, complain)
    service = Service(version, terms.limits, complain)
    watcher = Watcher(service, source.standing, lambda: open_fit(source, terms.host)[0])
    _few_threads(terms.limits.threads)
    said = unfailing(_write) if terms.say_requests else None
    app = make_app(service, keys=keys, host=terms.host, origins=terms.origins, said=said)
    _when_told(watcher.look_now)
    watcher.start(terms.watch)
    try:
        serve_app(app, listening, grace=terms.limits.grace)
    finally:
        watcher.end()
        service.end()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the body where this process is told to end, also where a library (pydantic) makes another error of that.

    Raises:
        KeyboardInterrupt: It was told to.
    """
    told: list[int] = []

    def stop(number: int, _: Any) -> None:
        told.append(number)
        raise KeyboardInterrupt

    both = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, stop) for one in both}
    try:
        yield
    except Exception:
        if told:
            raise KeyboardInterrupt from None
        raise
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def unfailing(say: Callable[[str], None]) -> Callable[[str], None]:
    """Say what can be said: where lines go to a disk that is full, or nobody reads them, no request suffers for it."""

    def said(text: str) -> None:
        with suppress(OSError, ValueError):
            say(text)

    return said


class _Keys:
    """The keys of a file, as it stands now. One that cannot be read lets in whom it let in before."""

    def __init__(self, path: Path | None, complain: Callable[[str], None]) -> None:
        self._path, self._complain = path, complain
        self._seen = self._standing()
        self._keys = None if path is None else Keys.read(path)

    def _standing(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            told = self._path.stat()
        except OSError:
            return None
        return told.st_ino, told.st_mtime_ns, told.st_size

    def __call__(self) -> Keys | None:
        if self._path is not None and (now := self._standing()) != self._seen:
            self._seen = now
            try:
                self._keys = Keys.read(self._path, any_at_least=False)  # all may have been taken back
            except SeedbedError as error:
                self._complain(f"the keys stay as they were: {error.in_a_line()}")
        return self._keys


def _few_threads(threads: int) -> None:
    """Libraries that do sums get what the threads that answer leave; more would wait for one another."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(max(1, cores() // threads))


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1


def _when_told(look: Callable[[], None]) -> None:
    """Look for another version at SIGHUP, where there is such a signal and this thread may hear it."""

    def heard(_: int, __: Any) -> None:
        look()

    if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, heard)


def _write(line: str) -> None:
    os.write(2, line.encode() + b"\n")  # one write, so that lines of several threads and processes stay whole
