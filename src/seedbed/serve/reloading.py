"""Looks for another version of a model while one is served, and lets it take over without losing a request."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from seedbed.core.errors import ModelError, SeedbedError

from .predictor import Predictor
from .service import Service, Version

#: Seconds after which a version that could not be opened is tried again.
_PAUSES = (5, 10, 30, 60, 600)


class Watcher:
    """Asks now and then which version is meant.

    The new one is opened and checked while the old one answers. What is wrong with it is told once, and the old one
    stays. Requests that were let in before are answered by the version that stood then.

    Args:
        service: What serves.
        standing: Which version is meant: another text as soon as there is another one.
        opened: Opens and checks that version.
    """

    def __init__(self, service: Service, standing: Callable[[], str], opened: Callable[[], Version]) -> None:
        self._service, self._standing, self._opened = service, standing, opened
        self._seen: str | None = service.version.standing or self._now()
        self._why = ""
        self._failures, self._again = 0, math.inf
        self._told = threading.Event()
        self._over = False
        self._thread: threading.Thread | None = None

    def start(self, every: float) -> None:
        """Look every so many seconds, and when told; 0: only when told."""
        self._thread = threading.Thread(target=self._watch, args=[every or None], name="versions", daemon=True)
        self._thread.start()

    def look_now(self) -> None:
        """Look, whatever the time."""
        self._told.set()

    def end(self) -> None:
        """Look no more."""
        self._over = True
        self._told.set()
        if self._thread is not None:
            self._thread.join(1)  # one that opens a model is left to it

    def look(self) -> bool:
        """Whether there was another version that took over."""
        now = self._now()
        if now is None or (now == self._seen and time.monotonic() < self._again):
            return False
        if now != self._seen:
            self._seen, self._why, self._failures = now, "", 0
        self._again = math.inf
        try:
            version = self._opened()
        except SeedbedError as error:
            self._fail(error.in_a_line())
        except Exception as error:  # noqa: BLE001 - the old version goes on, whatever is wrong with the new one
            self._fail(f"it failed with {type(error).__name__}")
        else:
            return self._take(version)
        return False

    def _take(self, version: Version) -> bool:
        before = self._service.version.predictor
        if version.predictor.digest == before.digest and version.predictor.folder == before.folder:
            version.close()
            return False
        try:
            refuse_others(before, version.predictor)
        except ModelError as error:
            version.close()
            self._fail(error.in_a_line())
            return False
        self._service.take_over(version)
        after = version.predictor
        self._service.complain(f"a new version was taken over: {after.name} {after.digest[:12]} ({after.folder})")
        return True

    def _fail(self, why: str) -> None:
        """Say it once; it may be that the last files of the version are just being copied, so it is tried again."""
        self._again = time.monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        if why == self._why:
            return
        self._why = why
        self._service.metrics.failures.labels("reload").inc()
        self._service.complain(f"the new version was not taken over, and the one before goes on: {why}")

    def _now(self) -> str | None:
        try:
            return self._standing()
        except (SeedbedError, OSError):  # somebody is about to put it there
            return None

    def _watch(self, every: float | None) -> None:
        while not self._over:
            told = self._told.wait(every)
            self._told.clear()
            if not self._over:
                if told:
                    self._seen = None  # also where it was refused before
                self.look()


def refuse_others(before: Predictor, after: Predictor) -> None:
    """Refuse a version that those who ask today could not ask: of another task, or that needs more columns.

    Raises:
        ModelError: It is one.
    """
    hint = "serve it at an address of its own, and tell those who ask"
    if after.bundle.task.says != before.bundle.task.says:
        raise ModelError(f"it answers otherwise ({after.bundle.task.kind})", at=str(after.folder), hint=hint)
    known = {name for one in before.preparation.inputs for name in (one.name, *one.known_as)}
    asked = [one.name for one in after.preparation.inputs if not known & {one.name, *one.known_as}]
    if asked:
        raise ModelError(f"it reads {', '.join(map(repr, asked))}, which nobody sends", at=str(after.folder), hint=hint)
    if len(before.inputs) == 1 < len(after.inputs):
        raise ModelError("it reads several columns, and takes no lone text", at=str(after.folder), hint=hint)
