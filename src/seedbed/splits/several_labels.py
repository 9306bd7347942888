"""Deals rows of several labels each, so that every split has its share of every label and of those that go together.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas: On the Stratification of Multi-Label Data, 2011) takes the
rarest label first and gives each of its rows to the split that lacks it most. Here that is done with what is left when
whole sets of labels are dealt by their shares, so that labels that go together keep their shares, too, splits have the
sizes asked for, and a million rows take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.core.similarity.shingles import mix

_Ints = NDArray[np.int64]


#: A split that is to get so many rows of a label gets some.
_SURE = 2.0


@dataclass
class _Hands:
    """What splits have got, and what they are to get."""

    wanted: NDArray[np.float64]
    """Rows of each label that each split is to get, shape (splits, labels)."""
    got: NDArray[np.float64]
    rows_wanted: NDArray[np.float64]
    """Rows that each split is to get, shape (splits,)."""
    rows: NDArray[np.float64]

    def give(self, split: int, held: NDArray[np.float64], rows: int) -> None:
        self.got[split] += held
        self.rows[split] += rows


def deal_labels(
    shares: Sequence[float], clusters: _Ints, labels: NDArray[np.bool_], *, seed: int, limits: Sequence[float]
) -> _Ints:
    """The split of each row; rows of one cluster share it.

    Clusters of several rows come first, the largest before the others, each to the split that lacks their labels most.
    Single rows with the same set of labels are then dealt by the shares that are left to fill, and those that remain
    (fewer than there are splits, of each set) one by one, the rarest label first. No label at all counts as a label.

    Args:
        shares: Of each split.
        clusters: Cluster of each row, shape (rows,).
        labels: Whether each row has each label, shape (rows, labels).
        seed: Of the ties.
        limits: Rows of the largest cluster that each split may get.

    Returns:
        From 0, shape (rows,).
    """
    ids, cluster_of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    labels = np.column_stack([labels, ~labels.any(axis=1)])
    keys = mix(mix(ids.astype(np.uint64)) ^ mix(np.array([seed % 2**64], dtype=np.uint64)))
    asked = np.asarray(shares, dtype=np.float64)
    hands = _Hands(
        wanted=asked[:, None] * labels.sum(axis=0),
        got=np.zeros((len(asked), labels.shape[1])),
        rows_wanted=asked * len(clusters),
        rows=np.zeros(len(asked)),
    )
    split_of = np.full(len(ids), -1, dtype=np.int64)
    _deal_several(hands, split_of, cluster_of, sizes, labels, keys, np.asarray(limits))
    single = np.flatnonzero(sizes[cluster_of] == 1)
    if len(single):
        single = single[np.argsort(keys[cluster_of[single]], kind="stable")]
        split_of[cluster_of[single]] = _deal_single(hands, labels[single])
    return split_of[cluster_of]


def _deal_several(
    hands: _Hands,
    split_of: _Ints,
    cluster_of: _Ints,
    sizes: _Ints,
    labels: NDArray[np.bool_],
    keys: NDArray[np.uint64],
    limits: NDArray[np.float64],
) -> None:
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return
    rows = np.argsort(cluster_of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    scale = np.maximum(hands.wanted, 1e-9)
    for cluster in several[np.lexsort((keys[several], -sizes[several]))].tolist():
        held = labels[rows[starts[cluster] : starts[cluster + 1]]].sum(axis=0).astype(np.float64)
        lacks = (((hands.wanted - hands.got) / scale) * held).sum(axis=1)
        lacks[sizes[cluster] > limits] = -np.inf
        split = int(np.lexsort((hands.rows - hands.rows_wanted, -lacks))[0])
        split_of[cluster] = split
        hands.give(split, held, int(sizes[cluster]))


def _deal_single(hands: _Hands, labels: NDArray[np.bool_]) -> _Ints:
    """Splits of rows that stand alone, in the order drawn, shape (rows,)."""
    # A row's set of labels as one value, so that rows of the same set are found by sorting.
    packed = np.ascontiguousarray(np.packbits(labels, axis=1))
    _, set_of, counts = np.unique(
        packed.view(np.dtype((np.void, packed.shape[1]))).ravel(), return_inverse=True, return_counts=True
    )
    members = np.argsort(set_of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)])
    held = labels[members[starts[:-1]]]
    room = np.maximum(hands.rows_wanted - hands.rows, 0)
    exact = counts[:, None] * (room / room.sum())[None, :]
    whole = np.floor(exact + 1e-9).astype(np.int64)
    # Labels that a split might miss are dealt row by row.
    whole[(held & (hands.wanted.min(axis=0) < _SURE)).any(axis=1)] = 0
    given = whole + _round(hands, held, exact, whole, members[starts[:-1]])
    splits = np.full(len(labels), -1, dtype=np.int64)
    ends = starts[:-1].copy()
    for split in range(given.shape[1]):
        begins, ends = ends, ends + given[:, split]
        splits[members[_ranges(begins, ends)]] = split
    return splits


def _ranges(begins: _Ints, ends: _Ints) -> _Ints:
    """All whole numbers from each beginning up to its end."""
    lengths = ends - begins
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins - before, lengths) + np.arange(int(lengths.sum()))


def _round(hands: _Hands, held: NDArray[np.bool_], exact: NDArray[np.float64], whole: _Ints, drawn: _Ints) -> _Ints:
    """Rows of each set that go to each split beyond whole shares, shape (sets, splits).

    Sets with the rarest labels come first. Each row goes to the split that is farthest below its shares of the row's
    labels and of all rows, each by how rare it is; a label that can reach every split does.

    Args:
        hands: What splits got of clusters.
        held: Labels of each set, shape (sets, labels).
        exact: Rows of each set that each split would get if rows could be cut, shape (sets, splits).
        whole: The same, rounded down.
        drawn: Order of sets whose labels are equally rare, shape (sets,).
    """
    rest, sizes = exact.sum(axis=1).round().astype(np.int64) - whole.sum(axis=1), exact.sum(axis=1)
    totals = np.append(hands.wanted.sum(axis=0), hands.rows_wanted.sum())
    weights = 1 / np.maximum(totals, 1)
    also = np.column_stack([held, np.ones(len(held), dtype=np.bool_)])
    # How far each split is above its shares, in the end, were rows cut: from here on rows are not.
    over = np.column_stack([hands.got, hands.rows]) + exact.T @ also
    over -= np.column_stack([hands.wanted, hands.rows_wanted])
    reached = (hands.got + whole.T @ held) > 0
    may_reach = totals[:-1] >= len(over)
    rarest = np.where(held, totals[:-1], np.inf).argmin(axis=1)
    extra = np.zeros_like(whole)
    order = np.lexsort((drawn, sizes, totals[rarest]))
    for one in order[rest[order] > 0].tolist():
        labels, label = np.flatnonzero(also[one]), rarest[one]
        over[:, labels] -= (exact[one] - whole[one])[:, None]
        for _ in range(int(rest[one])):
            score = (2 * over[:, labels] + 1) @ weights[labels]
            if may_reach[label] and not reached[:, label].all():
                score[reached[:, label]] = np.inf
            split = int(score.argmin())
            over[split, labels] += 1
            extra[one, split] += 1
            reached[split] |= held[one]
    return extra
