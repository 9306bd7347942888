"""Deals clusters to folds of a cross-validation, evenly, so that no rows that belong together are parted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.similarity.shingles import mix

from .several_labels import deal_labels


def deal_folds(
    clusters: NDArray[np.int64], labels: NDArray[np.int64], folds: int, seed: int, at: str = "evaluate.folds"
) -> NDArray[np.int64]:
    """The fold of each row; rows of one cluster share it, and each label is spread as evenly as that allows.

    Clusters of several rows come first, the largest before the others, each to the fold that lacks its labels most.
    Single rows then fill up label by label. Ties are drawn from the seed and the clusters' ids; the order of the rows
    does not matter.

    Args:
        clusters: Cluster of each row, shape (rows,).
        labels: Label of each row, coded from 0, shape (rows,); or whether it has each of several, shape (rows, labels).
        folds: At least two.
        seed: Of the ties.
        at: Where the recipe asks for them.

    Returns:
        From 0, shape (rows,).

    Raises:
        DataError: There are fewer clusters than folds.
    """
    ids, cluster_of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(ids) < folds:
        raise DataError(
            f"{things(len(clusters), 'row')} in {things(len(ids), 'cluster')} of rows that belong "
            f"together cannot be dealt to {folds} "
            "folds",
            at=at,
            hint="ask for fewer folds",
        )
    if labels.ndim == 2:
        return deal_labels([1 / folds] * folds, clusters, labels.astype(bool), seed=seed, limits=[np.inf] * folds)
    kinds = int(labels.max(initial=0)) + 1
    keys = mix(mix(ids.astype(np.uint64)) ^ mix(np.array([seed % 2**64], dtype=np.uint64)))
    got = np.zeros((folds, kinds))
    fold_of = np.full(len(ids), -1, dtype=np.int64)
    several = np.flatnonzero(sizes > 1)
    several = several[np.lexsort((keys[several], -sizes[several]))]
    rows_by_cluster = np.argsort(cluster_of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    wanted = np.bincount(labels, minlength=kinds) / folds
    for cluster in several.tolist():
        held = np.bincount(labels[rows_by_cluster[starts[cluster] : starts[cluster + 1]]], minlength=kinds)
        lacks = ((wanted - got) / np.maximum(wanted, 1) * held).sum(axis=1)
        fold = int(np.lexsort((got.sum(axis=1), -lacks))[0])
        fold_of[cluster] = fold
        got[fold] += held
    single = np.flatnonzero(sizes == 1)
    label_of = labels[rows_by_cluster[starts[single]]]
    for label in np.unique(label_of).tolist():
        mine = single[label_of == label]
        mine = mine[np.argsort(keys[mine], kind="stable")]
        fold_of[mine] = _filling(got, label, len(mine))
    return fold_of[cluster_of]


def _filling(got: NDArray[np.float64], label: int, rows: int) -> NDArray[np.int64]:
    """Folds for so many single rows of a label: the level to which they fill the folds that have least of it."""
    level = (got[:, label].sum() + rows) / len(got)
    given = np.floor((level - got[:, label]).clip(min=0)).astype(np.int64)
    if given.sum() > rows:  # some fold stands above the level
        given = given * rows // given.sum()
    got[:, label] += given
    for _ in range(rows - int(given.sum())):
        fold = int(np.lexsort((got.sum(axis=1), got[:, label]))[0])
        got[fold, label] += 1
        given[fold] += 1
    return np.repeat(np.arange(len(got)), given)
