"""What a command may know that works on its own, beside runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedbed.core.context import Context, Progress, workers_for
from seedbed.store.going import Journal


@contextmanager
def working(
    base: Path, store: Path, seed: int, *, workers: int | None = None, progress: Progress | None = None
) -> Iterator[Context]:
    """A context for work whose results a store keeps, and does not collect while the body runs.

    Args:
        base: Folder that relative paths start from.
        store: The store.
        seed: Of whatever is random.
        workers: Worker processes; the number of cores, at most 8, when left out.
        progress: Where progress is shown.
    """
    with Journal.of_work(store) as used:
        yield Context(
            base=base,
            store=store,
            seed=seed,
            workers=workers_for(workers),
            progress=progress or Context().progress,
            used=used,
        )
