"""Rows of several labels: every split has its share of each label, and clusters stay whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.splits import KFold, Stratified
from seedbed.splits.certify import straddling
from seedbed.splits.several_labels import deal_labels


def labelled(rows: int, seed: int = 3) -> np.ndarray:
    """Labels of very different frequency that go together now and then."""
    rng = np.random.default_rng(seed)
    held = rng.random((rows, 8)) < np.array([0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005])
    held[:, 3] |= held[:, 4] & (rng.random(rows) < 0.7)
    return held.astype(np.int8)


def far(held: np.ndarray, dealt: np.ndarray, shares: list[float]) -> float:
    """Rows of a label that a split has too many or too few, at most."""
    got = np.array([held[dealt == split].sum(axis=0) for split in range(len(shares))])
    return float(np.abs(got - np.outer(shares, held.sum(axis=0))).max())


def test_every_split_has_its_share_of_every_label() -> None:
    held = labelled(5_000)
    clusters = np.arange(5_000, dtype=np.int64)
    dealt = Stratified().assign(clusters, held)
    assert far(held, dealt, [0.8, 0.1, 0.1]) <= 2
    assert np.abs(np.bincount(dealt) - [4_000, 500, 500]).max() <= 3
    by_chance = np.random.default_rng(1).choice(3, 5_000, p=[0.8, 0.1, 0.1])
    assert far(held, by_chance, [0.8, 0.1, 0.1]) > 10
    none = ~held.any(axis=1)
    assert np.abs(np.bincount(dealt[none]) / none.sum() - [0.8, 0.1, 0.1]).max() < 0.01
    both = (held[:, 3] & held[:, 4]) > 0
    assert np.abs(np.bincount(dealt[both]) / both.sum() - [0.8, 0.1, 0.1]).max() < 0.03, "labels that go together, too"


def test_folds_have_the_same_labels() -> None:
    held = labelled(2_000)
    folds = KFold(folds=5, test=0).deal_folds(np.arange(2_000, dtype=np.int64), held)
    assert far(held, folds, [0.2] * 5) <= 2
    assert np.ptp(np.bincount(folds)) <= 3


def test_a_label_with_a_row_for_every_split_reaches_every_split() -> None:
    held = np.zeros((300, 3), dtype=np.int8)
    held[:, 0] = 1
    held[[5, 80, 200], 1] = 1
    held[7, 2] = 1
    for seed in range(5):
        dealt = Stratified(seed=seed).assign(np.arange(300, dtype=np.int64), held)
        assert sorted(dealt[[5, 80, 200]]) == [0, 1, 2]
        assert dealt[7] == 0, "a single row trains"


def test_seeds_differ_and_the_order_of_rows_does_not_matter() -> None:
    held, clusters = labelled(500), np.arange(500, dtype=np.int64)
    clusters[::7] = clusters[1::7][: len(clusters[::7])]
    dealt = Stratified(seed=1).assign(clusters, held)
    assert (dealt != Stratified(seed=2).assign(clusters, held)).any()
    shuffled = np.random.default_rng(1).permutation(500)
    assert (Stratified(seed=1).assign(clusters[shuffled], held[shuffled]) == dealt[shuffled]).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(12, 120), st.integers(1, 6), st.integers(0, 9), st.integers(2, 6))
def test_clusters_stay_whole(rows: int, labels: int, seed: int, splits: int) -> None:
    rng = np.random.default_rng(seed)
    held = rng.random((rows, labels)) < 0.4
    clusters = rng.integers(0, max(splits, rows // 2), rows).astype(np.int64)
    shares = [1 / splits] * splits
    dealt = deal_labels(shares, clusters, held, seed=seed, limits=[np.inf] * splits)
    assert straddling(clusters, dealt.astype(np.int8)) == 0
    assert dealt.min() >= 0
    sizes = np.bincount(np.unique(clusters, return_inverse=True)[1])
    assert np.ptp(np.bincount(dealt, minlength=splits)) <= 2 * sizes.max() + labels


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_what_a_large_cluster_takes_is_made_up_for(share: float) -> None:
    held = labelled(1_000)
    clusters = np.arange(1_000, dtype=np.int64)
    clusters[: int(1_000 * share)] = 0
    dealt = Stratified().assign(clusters, held)
    assert far(held, dealt, [0.8, 0.1, 0.1]) <= 8
    assert np.abs(np.bincount(dealt) - [800, 100, 100]).max() <= 3
