"""How many may come in at once, and how often one may come."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from .lane import FullError


class Few:
    """Lets a few in at once."""

    def __init__(self, most: int) -> None:
        self._most, self._in, self._lock = most, 0, threading.Lock()

    def enter(self) -> Callable[[], None]:
        """Come in; what is given back is called to leave, once or more often.

        Raises:
            FullError: There are as many as may be.
        """
        with self._lock:
            if self._in >= self._most:
                raise FullError(1)
            self._in += 1
        gone = False

        def leave() -> None:
            nonlocal gone
            with self._lock:
                self._in -= not gone
                gone = True

        return leave


class Pace:
    """How often one may come: some at once, then one every few seconds. So many are remembered, the latest."""

    def __init__(self, most: int, every: float, known: int = 10_000) -> None:
        self._most, self._every, self._known = most, every, known
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> None:
        """Come once more.

        Raises:
            FullError: It is too soon.
        """
        now = time.monotonic()
        left, then = self._left.pop(who, (float(self._most), now))
        left = min(float(self._most), left + (now - then) / self._every)
        self._left[who] = (left - 1, now) if left >= 1 else (left, now)
        while len(self._left) > self._known:
            self._left.popitem(last=False)
        if left < 1:
            raise FullError(math.ceil((1 - left) * self._every), "you said much in a short time")
