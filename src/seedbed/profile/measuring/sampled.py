"""A sample of rows: those whose ids have the smallest hashes, whatever order or batches they came in.

It is the whole table while that fits. Ranks in a sample of k rows are off by at most `rank_error(k)` with 99 %
confidence (Dvoretzky, Kiefer and Wolfowitz 1956, with the constant of Massart 1990).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from .hashed import Hashes

KEY = "\x00key"
_MISS = 0.01


def rank_error(rows: int) -> float:
    """How far off a rank may be in a sample of so many rows."""
    return math.sqrt(math.log(2 / _MISS) / (2 * rows)) if rows else 1.0


@dataclass
class Sampled:
    """A sample of rows."""

    most: int
    held: pl.DataFrame = field(default_factory=pl.DataFrame)
    """The rows, with `KEY`, their hash, by which they are sorted once there are too many."""
    seen: int = 0
    _fresh: list[pl.DataFrame] = field(default_factory=list)
    _waiting: int = 0

    @property
    def whole(self) -> bool:
        """Whether all rows are in it."""
        return self.seen <= self.most

    def chosen(self, keys: Hashes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Which of some rows may get into the sample."""
        if self.held.height >= self.most:
            return np.flatnonzero(keys <= self.held[KEY][-1])
        if len(keys) > self.most:
            return np.sort(np.argpartition(keys, self.most)[: self.most])
        return np.arange(len(keys))

    def add(self, rows: pl.DataFrame, of: int) -> None:
        """Take in rows that were chosen of so many."""
        self.seen += of
        if rows.height or not (self.held.width or self._fresh):  # the first one brings the columns
            self._fresh.append(rows)
            self._waiting += rows.height
        if self._waiting > self.most:
            self._settle()

    def merge(self, other: Sampled) -> None:
        """Take in that of another part of the table."""
        self.seen += other.seen
        self._fresh += [other.held, *other._fresh]
        self._settle()

    def _settle(self) -> None:
        there = [rows for rows in (self.held, *self._fresh) if rows.width]
        self._fresh, self._waiting = [], 0
        if there:
            self.held = pl.concat(there).sort(KEY).head(self.most)

    def rows(self) -> pl.DataFrame:
        """The rows of the sample, in the order of their hashes."""
        self._settle()
        return self.held

    def __getstate__(self) -> dict[str, object]:
        self._settle()
        return self.__dict__
