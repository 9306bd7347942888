"""Which rows stay where they are, when rows that belong together say different things of their split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.core.splitter import LEFT_OUT

from .dealing import TRAIN

#: Why a row that only trains is left out: it belongs to a row that is held out.
NEAR_HELD_OUT = "near_held_out"


@dataclass(frozen=True)
class Homes:
    """The one split that each cluster has."""

    split: NDArray[np.int64]
    """The split of each row's cluster, shape (rows,); `LEFT_OUT` where none of its rows is in one."""
    first: NDArray[np.int64]
    """Position of the row that stands for that, shape (rows,); -1 where there is none."""


def homes(
    places: NDArray[np.int8],
    clusters: NDArray[np.int64],
    only_train: NDArray[np.bool_],
    *,
    ranks: Sequence[int],
    order: NDArray[np.int64],
) -> Homes:
    """The split that is first in rank among those of a cluster's rows.

    Rows that only train decide nothing, unless nobody else does.

    Args:
        places: What each row says, shape (rows,), or `LEFT_OUT`.
        clusters: Cluster of each row, shape (rows,).
        only_train: Rows that may not be held out, shape (rows,).
        ranks: Rank of each split, the first 0.
        order: By which the row that stands for a home is the first, shape (rows,).
    """
    _, of = np.unique(clusters, return_inverse=True)
    count, none = int(of.max(initial=-1)) + 1, len(ranks)
    rank = np.where(places == LEFT_OUT, none, np.asarray([*ranks, none])[places])
    best = np.full(count, none)
    decide = (rank < none) & ~only_train
    np.minimum.at(best, of[decide], rank[decide])
    undecided = only_train & (best[of] == none)
    best[of[undecided]] = ranks[TRAIN]
    stands = (rank == best[of]) & (rank < none) & (decide | (undecided & only_train))
    first = np.full(count, len(places))
    np.minimum.at(first, of[stands], order[stands])
    position = np.full(len(places) + 1, LEFT_OUT)
    position[order] = np.arange(len(places))
    split_of = np.full(none + 1, LEFT_OUT)
    split_of[list(ranks)] = np.arange(none)
    return Homes(split_of[best][of], position[first][of])
