"""Rows that are no independent draws: what is resampled and exchanged is the group, whole.

Where rows of a group share what makes them easy or hard, a resample of rows takes them for more than they are, and its
intervals are too narrow. The cluster bootstrap draws as many groups as there are, with replacement, each with all its
rows (Field & Welsh 2007, *Bootstrapping clustered data*; Cameron, Gelbach & Miller 2008, *Bootstrap-based improvements
for inference with clustered errors*); a paired permutation exchanges both models' answers to all rows of a group at
once. With few groups its intervals are too narrow still (Cameron, Gelbach & Miller: below some 20 to 30).

Groups whose rows lie in the same cells are alike. So one multinomial draw over the kinds of groups is a resample, as it
is over cells where every row is by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .drawing import affordable

#: The group of each row, from 0 without gaps, shape (rows,); none where every row is by itself.
Groups = NDArray[np.int64] | None
#: Below so many groups, intervals that resample them are too narrow.
FEW_GROUPS = 20


def grouped(ids: NDArray[Any] | None) -> Groups:
    """Groups by whatever tells them apart, shape (rows,); none where no two rows share one, or all share one: of a
    single group there is nothing to resample but its rows.
    """
    if ids is None:
        return None
    found, codes = np.unique(ids, return_inverse=True)
    return codes.astype(np.int64) if 1 < len(found) < len(ids) else None


def some_groups(groups: Groups, rows: NDArray[Any]) -> Groups:
    """Groups of the rows at some places (integers), or of those that are meant (booleans)."""
    return None if groups is None else grouped(groups[rows])


def how_many(groups: Groups) -> int | None:
    """Groups, where there are any."""
    return None if groups is None else int(groups.max()) + 1


def as_of_groups(level: float, groups: Groups) -> float:
    """The level at which a bound on what none of n rows showed (`intervals.unseen_share`) is that of n groups."""
    return level if groups is None else _of_units(level, len(groups), int(groups.max()) + 1)


def _of_units(level: float, rows: int, units: int) -> float:
    return float(1 - 2 * ((1 - level) / 2) ** (rows / units))


@dataclass(frozen=True)
class Units:
    """What is drawn: rows, of which each lies in a cell, or groups of rows."""

    counts: NDArray[np.int64]
    """How many units there are of each kind, shape (kinds,). Of rows, cells are the kinds."""
    cells: Any = None
    """Rows of a group of each kind in each cell: a sparse matrix, (kinds, cells)."""

    @classmethod
    def of(cls, cell: NDArray[np.int64], counts: NDArray[np.int64], groups: Groups) -> Units:
        """Rows, or groups of them.

        Args:
            cell: The cell of each row, from 0, shape (rows,).
            counts: Rows of each cell, none of them 0, shape (cells,).
            groups: The group of each row, from 0 without gaps.
        """
        if groups is None:
            return cls(counts)
        from scipy.sparse import csr_array

        # Groups with equal sums of random numbers, one a cell, hold the same rows: by chance once in 2^64 / groups^2.
        numbers = np.random.default_rng(0).integers(0, 2**64, size=len(counts), dtype=np.uint64)
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        sums = np.add.reduceat(numbers[cell[order]], starts)
        _, first, kind, of_kind = np.unique(sums, return_index=True, return_inverse=True, return_counts=True)
        stands = first[kind[groups]] == groups  # rows of the group that stands for its kind
        where = (kind[groups[stands]], cell[stands])
        cells = csr_array((np.ones(int(stands.sum()), np.int64), where), shape=(len(first), len(counts)))
        return cls(of_kind.astype(np.int64), cells)

    def affordable(self, resamples: int) -> int:
        """Resamples to draw where so many were asked for: fewer where there are many kinds of groups."""
        return resamples if self.cells is None else affordable(len(self.counts), 1, resamples)

    def cautious(self, level: float) -> float:
        """As `as_of_groups`."""
        if self.cells is None:
            return level
        return _of_units(level, int((self.counts @ self.cells).sum()), int(self.counts.sum()))

    def resampled(self, random: np.random.Generator, size: int) -> NDArray[Any]:
        """Rows of each cell in so many resamples, shape (size, cells)."""
        units = self.counts.sum()
        return self._rows(random.multinomial(units, self.counts / units, size=size))

    def exchanged(self, random: np.random.Generator, size: int) -> NDArray[Any]:
        """Rows of each cell where each unit is taken with a chance of 1/2, so many times, shape (size, cells)."""
        return self._rows(random.binomial(self.counts, 0.5, size=(size, self.counts.size)))

    def _rows(self, drawn: NDArray[np.int64]) -> NDArray[Any]:
        return drawn if self.cells is None else np.asarray(drawn @ self.cells)
