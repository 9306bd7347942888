"""Brings equal keys together on disk: workers deal keys out to partitions.

A run of keys is read, sorted by partition and written as one Arrow file for each. In memory are `RUN_KEYS` keys in each
worker, four times over; a key of `near_duplicates` has 22 bytes. Written are (keys / RUN_KEYS) * partitions files: with
partitions of a million keys 2,500 for 50 million keys, and 250,000 for 500 million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from .workers import Workers

#: Keys that a worker deals out together.
RUN_KEYS = 1_000_000
# Any number; the same in all workers, which have one version of Polars.
_SEED = 7

#: Rows of a file: path, first row, how many.
Stretch = tuple[Path, int, int]


def deal(keys: Sequence[Path], count: int, place: Path, workers: Workers) -> None:
    """Write keys to a folder as `PARTITION/RUN.arrow`, so that rows with equal `key` are in one partition.

    Args:
        keys: Parquet files with a column `key`.
        count: Partitions; each has its folder, though no row may be in it.
        place: The folder; every worker sees it.
        workers: Do it.
    """
    for part in range(count):
        (place / f"{part:06}").mkdir()
    for _ in workers.run(_Dealt(count, place), enumerate(_runs(keys))):
        pass


def _runs(keys: Sequence[Path]) -> Iterator[list[Stretch]]:
    """All keys, cut into stretches of `RUN_KEYS`."""
    run: list[Stretch] = []
    room = RUN_KEYS
    for path in keys:
        start, height = 0, pq.read_metadata(path).num_rows
        while start < height:
            taken = min(room, height - start)
            run.append((path, start, taken))
            start, room = start + taken, room - taken
            if not room:
                yield run
                run, room = [], RUN_KEYS
    if run:
        yield run


@dataclass(frozen=True)
class _Dealt:
    """Writes the keys of a run by partition."""

    count: int
    place: Path

    def __call__(self, numbered: tuple[int, Sequence[Stretch]]) -> None:
        number, run = numbered
        keys = pl.concat([pl.scan_parquet(path, glob=False).slice(at, rows).collect() for path, at, rows in run])
        part = (keys["key"].hash(_SEED) % self.count).cast(pl.UInt32).to_numpy()
        keys = keys[np.argsort(part, kind="stable")]
        ends = np.cumsum(np.bincount(part, minlength=self.count))
        starts = np.append(0, ends[:-1])
        for name in np.flatnonzero(ends > starts).tolist():
            some = keys.slice(int(starts[name]), int(ends[name] - starts[name]))
            some.write_ipc(self.place / f"{name:06}" / f"{number:06}.arrow", compression="uncompressed")
