"""An end to work that may never end: libraries in plain Python, on files that anybody made."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two looks at the clock.
_LOOK = 0.2


class Late(BaseException):
    """Raised in the body of `deadline` when its time is over."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `Late` in the body once it has worked for so many seconds (of CPU time, where that can be told).

    What is inside a function written in C is told when it comes back.
    """
    thread, clock = threading.get_ident(), _clock()
    end, over, lock = clock() + seconds, threading.Event(), threading.Lock()

    def watch() -> None:
        while not over.wait(_LOOK):
            with lock:
                if not over.is_set() and clock() > end:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Late))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with lock:
            over.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)
        watcher.join()


def _clock() -> Callable[[], float]:
    """Seconds that this thread has worked, whoever asks; on some systems, seconds."""
    try:
        number = time.pthread_getcpuclockid(threading.get_ident())
    except (AttributeError, OSError):
        return time.monotonic
    return lambda: time.clock_gettime(number)
