"""Files at whose end several processes write: one at a time, whole lines, and kept by the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appending(path: Path, mode: int) -> Iterator[int]:
    """A file to read and to write at the end of, which nobody else appends to meanwhile.

    Args:
        path: The file; it and its folder are made if need be.
        mode: Who may read and write a file that is made, as `0o644`.

    Raises:
        OSError: It cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    try:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except ImportError:  # Windows: a line is still written in one piece
            pass
        yield file
    finally:
        os.close(file)


def write_all(file: int, data: bytes) -> None:
    """Write at the end, and have the disk keep it.

    Raises:
        OSError: It cannot be written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    os.fsync(file)
