"""Threads of the libraries that do the sums."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, cast


def one_thread() -> AbstractContextManager[Any]:
    """Threads that wait for one another took 200 times as long on 300 rows of a machine that others use, too."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return cast(AbstractContextManager[Any], threadpool_limits(1))
