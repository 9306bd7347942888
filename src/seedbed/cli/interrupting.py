"""Ctrl-C and being asked to end: at once where Python can, by force a moment later where it cannot.

Python looks at signals between its own instructions. A library that computes for a minute in its own language, or an
exception that somebody catches on the way, would keep a run going for as long. So a thread of its own hears of the
signal, too, and ends the process when the run has not come to its end by then. Nothing is lost by force: what stands in
the store or in a run's folder got there whole (`kill -9` is no different), and the next run sweeps what lies beside it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Seconds that a run has to end by itself. Two are promised, and a busy machine takes its time over the end, too.
PATIENCE = 0.7
TOLD = "interrupted: nothing half-written is left; the same command goes on where this one stopped"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HEARD = [signal.SIGINT.value]
_ENDING = threading.Lock()
_SHOW_CURSOR = "\x1b[?25h"


def let_ctrl_c_through() -> None:
    """Let Ctrl-C, and being asked to end, interrupt whatever is waited for."""
    # Importing Polars sets SA_RESTART on SIGINT: whatever waits for a file, a lock or a worker would go on waiting.
    if hasattr(signal, "siginterrupt"):
        signal.siginterrupt(signal.SIGINT, True)
    signal.signal(signal.SIGTERM, _interrupt)  # being asked to end is no reason to leave litter


def interrupted() -> int:
    """The exit code of who was interrupted: what a shell says of the signal."""
    return 128 + _HEARD[-1]


def _interrupt(number: int, frame: Any) -> None:
    _HEARD.append(number)
    raise KeyboardInterrupt


@contextmanager
def ended_soon(patience: float = PATIENCE) -> Iterator[None]:
    """End the process when it is interrupted in the body: once the body is left, but soon, whatever it is busy with.

    A body that may take longer, to leave nothing behind, is interrupted once more after a quarter of that time: an
    exception that is raised in somebody's callback is lost, and workers may be waited for.

    What comes after the body is not waited for: Python tidies up for a second where many libraries are loaded.
    """
    asked = threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        asked.set()
        _interrupt(number, frame)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            # Polars has put its own handler before Python's, which tells nobody else.
            signal.signal(number, interrupt)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    heard_by = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_after_patience, args=(ours, patience), daemon=True).start()
    try:
        yield
    finally:
        if asked.is_set():  # whatever became of the interruption on its way here
            _end()
        signal.set_wakeup_fd(heard_by)
        for number, handler in before.items():
            signal.signal(number, handler)
        theirs.close()


def _end_after_patience(ours: socket.socket, patience: float) -> None:
    while heard := ours.recv(1):
        if heard[0] in _SIGNALS:
            _HEARD.append(heard[0])
            if patience > PATIENCE:
                time.sleep(patience / 4)
                os.kill(os.getpid(), heard[0])  # wakes the main thread from what it waits for
                patience *= 3 / 4
            time.sleep(patience)
            _end()
    ours.close()


def _end() -> None:
    with _ENDING:  # whoever comes second waits for the end here
        for child in multiprocessing.active_children():
            child.kill()
        # Progress had hidden the cursor of a terminal.
        os.write(2, f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}{TOLD}\n".encode())
        os._exit(interrupted())
