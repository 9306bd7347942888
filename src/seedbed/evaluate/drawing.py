"""Resamples of rows, for metrics that counts of decided labels do not tell.

A resample of n rows with replacement is how often each row was drawn (one multinomial draw): weights, of which there
are few large ones. The same rows, number of resamples and seed give the same weights, so that two models judged on them
stay paired. What it costs is rows times labels times resamples; on large splits fewer resamples are drawn, never fewer
than 1,000 unless fewer were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Rows times labels times resamples that are drawn for one judgement, and resamples that are drawn in any case.
MOST_CELLS = 20_000_000
FEWEST = 1_000
# Weights of one byte each that are held at once, and that are kept for the next model.
_PIECE_BYTES = 32 << 20
_KEPT_BYTES = 16 << 20
_BLOCK_CELLS = 1 << 18

Weights = NDArray[np.uint8]


def affordable(rows: int, labels: int, resamples: int) -> int:
    """Resamples to draw where so many were asked for."""
    return min(resamples, max(FEWEST, MOST_CELLS // max(1, rows * labels)))


def weights(rows: int, resamples: int, seed: int, groups: NDArray[np.int64] | None = None) -> Iterator[Weights]:
    """How often each row counts in each bootstrap resample, in pieces of shape (m, rows) that add up to `resamples`.

    Where rows have groups, shape (rows,), from 0, groups are drawn, and each row counts as often as its group.
    """
    if groups is None:
        yield from _of_units(rows, resamples, seed)
        return
    most = max(1, _PIECE_BYTES // rows)
    for piece in _of_units(int(groups.max()) + 1, resamples, seed):
        for start in range(0, len(piece), most):
            yield np.take(piece[start : start + most].T, groups, axis=0).T


def _of_units(rows: int, resamples: int, seed: int) -> Iterator[Weights]:
    if rows * resamples <= _KEPT_BYTES:
        yield _kept(rows, resamples, seed)
        return
    random = np.random.default_rng(seed)
    most = max(1, _PIECE_BYTES // rows)
    for start in range(0, resamples, most):
        yield _drawn(rows, min(most, resamples - start), random)


@lru_cache(maxsize=2)
def _kept(rows: int, resamples: int, seed: int) -> Weights:
    """Weights that several models in a row are judged with."""
    found = _drawn(rows, resamples, np.random.default_rng(seed))
    found.flags.writeable = False
    return found


def _drawn(rows: int, resamples: int, random: np.random.Generator) -> Weights:
    # Resamples stand side by side in memory, as those who add rows up need them.
    found = np.empty((rows, resamples), dtype=np.uint8)
    most = max(1, _BLOCK_CELLS // rows)
    narrow = np.uint16 if rows <= 1 << 16 else np.uint32
    for start in range(0, resamples, most):
        m = min(most, resamples - start)
        row = random.integers(0, rows, size=(m, rows), dtype=narrow).astype(np.int64)
        row *= m
        row += np.arange(m)[:, None]
        found[:, start : start + m] = np.bincount(row.ravel(), minlength=rows * m).reshape(rows, m)
    return found.T


def swaps(
    rows: int, draws: int, seed: int, groups: NDArray[np.int64] | None = None
) -> Iterator[tuple[Weights, Weights]]:
    """Which model's answer counts where each row's two are exchanged with a chance of 1/2, over both models' rows; of
    rows that have groups, those of a group together.

    Yields:
        For the first model and for the second, shape (m, 2 rows): the first model's rows, then the second's.
    """
    random = np.random.default_rng([seed, 1])  # not the numbers that intervals are drawn with
    most = max(1, _PIECE_BYTES // (4 * rows))
    for start in range(0, draws, most):
        units = rows if groups is None else int(groups.max()) + 1
        drawn = random.integers(0, 2, size=(units, min(most, draws - start)), dtype=np.uint8)
        swapped = drawn if groups is None else np.take(drawn, groups, axis=0)
        stays = 1 - swapped
        yield np.concatenate([stays, swapped]).T, np.concatenate([swapped, stays]).T
