from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import DataError
from seedbed.splits.folds import deal_folds


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=40, max_size=200),
    st.integers(2, 5),
    st.integers(0, 99),
)
def test_no_cluster_straddles_and_every_fold_has_rows(rows: list[tuple[int, int]], folds: int, seed: int) -> None:
    clusters, labels = (np.array(column) for column in zip(*rows, strict=True))
    if len(set(clusters.tolist())) < folds:
        return
    found = deal_folds(clusters, labels, folds, seed)
    assert set(found.tolist()) <= set(range(folds))
    assert all(len(set(found[clusters == one].tolist())) == 1 for one in set(clusters.tolist()))
    largest = np.bincount(clusters).max()
    assert np.ptp(np.bincount(found, minlength=folds)) <= 2 * largest + folds + 4


def test_single_rows_are_spread_evenly_label_by_label() -> None:
    labels = np.repeat([0, 1, 2], [103, 52, 11])
    found = deal_folds(np.arange(166), labels, 5, seed=1)
    for label in range(3):
        counts = np.bincount(found[labels == label], minlength=5)
        assert np.ptp(counts) <= 1
    assert np.ptp(np.bincount(found)) <= 2


def test_large_clusters_are_made_up_for() -> None:
    clusters = np.concatenate([np.zeros(30, dtype=int), np.arange(1, 171)])
    labels = np.arange(200) % 2
    found = deal_folds(clusters, labels, 4, seed=1)
    assert np.bincount(found).tolist() == [50, 50, 50, 50]


def test_order_does_not_matter_and_the_seed_does() -> None:
    random = np.random.default_rng(1)
    clusters, labels = random.integers(0, 300, 500), random.integers(0, 2, 500)
    found = deal_folds(clusters, labels, 5, seed=1)
    order = random.permutation(500)
    assert (deal_folds(clusters[order], labels[order], 5, seed=1) == found[order]).all()
    assert (deal_folds(clusters, labels, 5, seed=2) != found).any()


def test_too_few_clusters() -> None:
    with pytest.raises(DataError, match=r"2 clusters .* 3 folds"):
        deal_folds(np.array([1, 1, 2, 2]), np.array([0, 1, 0, 1]), 3, seed=1)
