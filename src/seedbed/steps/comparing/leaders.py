"""Which vectors stay, so that each of the others is similar to one that stays before it; exactly, or by clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

#: Vectors up to which all are compared; more are compared within clusters.
EXACT = 200_000
# Vectors whose turn comes together, and vectors that they are compared with at a time: 64 MB of similarities.
_BLOCK, _TILE = 2_048, 8_192
# Vectors of a cluster, clusters that a vector is in, and earlier neighbours of a vector that are remembered.
_CLUSTER, _CLUSTERS_EACH, _NEIGHBOURS = 1_000, 4, 16
_SAMPLE_EACH, _ROUNDS = 50, 10
# Sums of products differ in their last digits from machine to machine.
_SLACK = 1e-6

Done = Callable[[int], object]


def leaders(
    vectors: Floats, order: Places, threshold: float, *, seed: int, exact: int = EXACT, done: Done = lambda n: None
) -> tuple[Places, Floats]:
    """For each vector the one that stays in its place, and how similar the two are.

    In the order given, a vector stays unless one that stays already has a cosine of `threshold` with it; of several it
    goes by the most similar, and by the first of equals. So no two that stay are that similar, and whatever goes is
    that similar to what stays for it, not only through others. Up to `exact` vectors are all compared, which takes
    n² / 2 products at worst. More are put into clusters of about 1,000 (spherical k-means on a sample), each vector
    into its four nearest; those that share no cluster are not compared.

    Sources: Hartigan, "Clustering Algorithms" (1975), the leader algorithm; Dhillon and Modha, "Concept decompositions
    for large sparse text data using clustering" (2001); Abbas et al., "SemDeDup" (2023), who compare in clusters.

    Args:
        vectors: Shape (n, width), each of length 1; may lie in a file.
        order: Places of the vectors, whose turn it is first comes first, shape (n,).
        threshold: Cosine from which two are the same.
        seed: Of the clusters.
        exact: Vectors up to which all are compared.
        done: Told how many more vectors are done.

    Returns:
        Place of the vector that stays (its own, if it stays), and the cosine (1 with itself), each of shape (n,).
        Memory is 28 bytes a vector, 64 MB, and above `exact` 12 bytes for each remembered neighbour.
    """
    if len(vectors) <= exact:
        return _all_compared(vectors, order, threshold - _SLACK, done)
    return _by_clusters(vectors, order, threshold - _SLACK, seed, done)


def _all_compared(vectors: Floats, order: Places, threshold: float, done: Done) -> tuple[Places, Floats]:
    stays = np.arange(len(vectors))
    similarity = np.ones(len(vectors), dtype=np.float32)
    kept = np.zeros(0, dtype=np.int64)
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        mine = vectors[block]
        leader, best = _best(mine, vectors, kept)
        inner = np.tril(mine @ mine.T, -1)
        settled = best >= threshold
        near = (inner >= threshold).any(axis=1)
        stayed = ~settled
        for at in np.flatnonzero(near):  # in turn: who stays decides about those who come later
            row = np.where(stayed[:at], inner[at, :at], -1)
            most = int(row.argmax())
            if row[most] >= threshold and row[most] > best[at]:
                leader[at], best[at], stayed[at] = block[most], row[most], False
        stays[block] = np.where(stayed, block, leader)
        similarity[block] = np.where(stayed, 1, best)
        kept = np.append(kept, block[stayed])
        done(len(block))
    return stays, similarity


def _best(mine: Floats, vectors: Floats, kept: Places) -> tuple[Places, Floats]:
    """The most similar of the kept, the first of equals, and the similarity."""
    leader = np.full(len(mine), -1, dtype=np.int64)
    best = np.full(len(mine), -1, dtype=np.float32)
    for start in range(0, len(kept), _TILE):
        some = kept[start : start + _TILE]
        found = mine @ vectors[some].T
        most = found.argmax(axis=1)
        value = found[np.arange(len(mine)), most]
        better = value > best
        leader[better], best[better] = some[most[better]], value[better]
    return leader, best


def _by_clusters(vectors: Floats, order: Places, threshold: float, seed: int, done: Done) -> tuple[Places, Floats]:
    stays = np.arange(len(vectors))
    similarity = np.ones(len(vectors), dtype=np.float32)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))]
    for members in _clusters(vectors, seed):
        members = members[np.argsort(rank[members])]
        found += _neighbours(vectors, members, threshold)
        done(len(members) // _CLUSTERS_EACH)
    later, earlier, cosine = (np.concatenate(column) for column in zip(*found, strict=True))
    by_turn = np.lexsort((rank[earlier], -cosine, rank[later]))
    later, earlier, cosine = later[by_turn], earlier[by_turn], cosine[by_turn]
    starts = np.flatnonzero(np.diff(later, prepend=-1))
    for start, end in zip(starts, np.append(starts[1:], len(later)), strict=True):
        near = earlier[start:end]
        there = np.flatnonzero(stays[near] == near)
        if there.size:  # the first is the most similar
            stays[later[start]], similarity[later[start]] = near[there[0]], cosine[start + there[0]]
    return stays, similarity


def _neighbours(vectors: Floats, members: Places, threshold: float) -> Iterator[tuple[Places, Places, Floats]]:
    """Pairs (later, earlier, cosine) of a cluster: the first few earlier neighbours of each member, and the nearest."""
    for start in range(0, len(members), _BLOCK):
        block = members[start : start + _BLOCK]
        mine = vectors[block]
        counted = np.zeros(len(block), dtype=np.int64)
        for first in range(0, start + len(block), _TILE):
            some = members[first : min(first + _TILE, start + len(block))]
            found = mine @ vectors[some].T
            found[np.arange(first, first + len(some)) >= np.arange(start, start + len(block))[:, None]] = -1
            near = found >= threshold
            nth = counted[:, None] + np.cumsum(near, axis=1, dtype=np.int64)
            counted += near.sum(axis=1)
            wanted = near & (nth <= _NEIGHBOURS)
            rows = np.flatnonzero(near.any(axis=1))
            wanted[rows, found[rows].argmax(axis=1)] = True
            later, earlier = np.nonzero(wanted)
            yield block[later], some[earlier], found[later, earlier]


def _clusters(vectors: Floats, seed: int) -> Iterator[Places]:
    """The members of each cluster; a vector is in several."""
    centres = _centres(vectors, max(1, len(vectors) // _CLUSTER), seed)
    each = min(_CLUSTERS_EACH, len(centres))
    of = np.empty((len(vectors), each), dtype=np.int32)
    for start in range(0, len(vectors), _TILE):
        found = vectors[start : start + _TILE] @ centres.T
        of[start : start + _TILE] = np.argpartition(found, len(centres) - each, axis=1)[:, len(centres) - each :]
    order = np.argsort(of.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(of.ravel(), minlength=len(centres)))
    for end, begin in zip(ends, np.append(0, ends[:-1]), strict=True):
        yield order[begin:end] // each


def _centres(vectors: Floats, clusters: int, seed: int) -> Floats:
    """Spherical k-means on a sample, shape (clusters, width)."""
    chance = np.random.default_rng(seed)
    sample = np.sort(chance.choice(len(vectors), min(len(vectors), clusters * _SAMPLE_EACH), replace=False))
    points = vectors[sample]
    centres = points[chance.choice(len(points), clusters, replace=False)]
    for _ in range(_ROUNDS):
        nearest = np.concatenate([(points[i : i + _TILE] @ centres.T).argmax(1) for i in range(0, len(points), _TILE)])
        order = np.argsort(nearest, kind="stable")
        used, starts = np.unique(nearest[order], return_index=True)
        sums = np.add.reduceat(points[order], starts, axis=0)
        centres[used] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return centres
