from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import DataError
from seedbed.core.splitter import Splitter
from seedbed.splits import Group, Random, Stratified

SHARES = [(0.8, 0.1, 0.1), (0.8, 0.0, 0.2), (0.5, 0.25, 0.25), (0.34, 0.33, 0.33), (0.2, 0.1, 0.7), (0.98, 0.01, 0.01)]


def splitter(shares: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 13, **options: Any) -> Stratified:
    train, validation, test = shares
    return Stratified(train=train, validation=validation, test=test, seed=seed, **options)


def table(splits: np.ndarray, labels: np.ndarray, of: Splitter) -> np.ndarray:
    """Rows by split and label."""
    counts = np.zeros((len(of.shares), labels.max() + 1), dtype=int)
    np.add.at(counts, (splits, labels), 1)
    return counts


@st.composite
def rows(draw: st.DrawFn, most: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Clusters and labels of some rows."""
    count = draw(st.integers(1, most))
    ids = st.integers(0, draw(st.integers(1, 80)))
    labels = st.integers(0, draw(st.integers(0, 6)))
    return (
        np.array(draw(st.lists(ids, min_size=count, max_size=count))),
        np.array(draw(st.lists(labels, min_size=count, max_size=count))),
    )


@given(rows=rows(), shares=st.sampled_from(SHARES), seed=st.integers(0, 3), order=st.randoms())
@settings(deadline=None, max_examples=400)
def test_every_row_is_dealt_and_no_cluster_straddles(
    rows: tuple[np.ndarray, np.ndarray], shares: tuple[float, float, float], seed: int, order: Any
) -> None:
    clusters, labels = rows
    part = splitter(shares, seed)
    wanted = np.array(list(part.shares.values())) * len(clusters)
    sizes = np.unique(clusters, return_counts=True)[1]
    try:
        splits = part.assign(clusters, labels)
    except DataError as error:
        too_large = sizes.max() > max(1, part.train * len(clusters))
        held_out = len(wanted) - 1
        too_few = (sizes <= max(1, 2 * wanted[1:].min())).sum() <= held_out
        assert too_large or too_few or len(sizes) < len(wanted), str(error)
        assert len(str(error).splitlines()) <= 5
        return
    assert splits.shape == clusters.shape
    assert splits.dtype == np.int8
    assert sorted(set(splits.tolist())) == list(range(len(wanted)))
    assert len({*zip(clusters.tolist(), splits.tolist(), strict=True)}) == len(sizes)
    in_cluster = (clusters[:, None] == clusters).sum(1)
    assert all(in_cluster[splits == split].max() <= max(1, 2 * wanted[split]) for split in range(1, len(wanted)))

    assert (part.assign(clusters, labels) == splits).all()
    shuffled = list(range(len(clusters)))
    order.shuffle(shuffled)
    assert (part.assign(clusters[shuffled], labels[shuffled]) == splits[shuffled]).all()


@given(labels=st.lists(st.integers(0, 4), min_size=3, max_size=300), shares=st.sampled_from(SHARES))
@settings(deadline=None, max_examples=200)
def test_single_rows_meet_the_shares_of_every_label(labels: list[int], shares: tuple[float, float, float]) -> None:
    coded = np.unique(labels, return_inverse=True)[1]
    part = splitter(shares)
    got = table(part.assign(np.arange(len(coded)), coded), coded, part)
    asked = np.array(list(part.shares.values()))
    wanted = asked[:, None] * np.bincount(coded)
    reached = got[:, np.bincount(coded) >= len(asked)]
    assert (reached > 0).all(), "a label with enough rows reaches every split"
    fits = (wanted >= 1).all(0)
    assert (np.abs(got - wanted)[:, fits] < 1 + 1e-9).all()
    if fits.all():
        assert (np.abs(got.sum(1) - asked * len(coded)) <= 1 + 1e-9).all()


@given(
    sizes=st.lists(st.integers(1, 6), min_size=60, max_size=150),
    shares=st.sampled_from(SHARES[:4]),
    label_seed=st.integers(0, 5),
)
@settings(deadline=None, max_examples=100)
def test_small_clusters_meet_the_shares(sizes: list[int], shares: tuple[float, float, float], label_seed: int) -> None:
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.random.default_rng(label_seed).choice(3, len(clusters), p=[0.5, 0.3, 0.2])
    part = splitter(shares)
    splits = part.assign(clusters, labels)
    asked = np.array(list(part.shares.values()))
    assert (np.abs(table(splits, labels, part).sum(1) - asked * len(labels)) <= 6).all()
    random = Random(train=part.train, validation=part.validation, test=part.test)
    assert (np.abs(np.bincount(random.assign(clusters, labels)) - asked * len(labels)) <= 6).all()


def test_rare_labels_do_not_add_up_to_uneven_splits() -> None:
    # Rounding each of 50 labels by itself would give 4.5 % too many rows to train.
    labels = np.arange(600) % 50
    assert table(splitter().assign(np.arange(600), labels), labels, splitter()).sum(1).tolist() == [480, 60, 60]


def test_labels_of_a_single_row_train() -> None:
    labels = np.concatenate([np.zeros(100, dtype=int), [1, 2]])
    splits = splitter().assign(np.arange(102), labels)
    assert splits[100:].tolist() == [0, 0]


def test_labels_of_a_single_cluster_train_even_where_train_is_small() -> None:
    clusters = np.concatenate([np.arange(1_000), 1_000 + np.arange(20) // 2])
    labels = np.concatenate([np.zeros(1_000, dtype=int), 1 + np.arange(20) // 2])
    splits = splitter((0.2, 0.1, 0.7)).assign(clusters, labels)
    assert set(splits[1_000:].tolist()) == {0}


def test_labels_that_come_in_clusters_reach_every_split() -> None:
    # Ten labels of three two-row clusters each, among many rows of another label.
    clusters = np.concatenate([np.arange(1_000), 1_000 + np.arange(60) // 2])
    labels = np.concatenate([np.zeros(1_000, dtype=int), 1 + np.arange(60) // 6])
    assert (table(splitter().assign(clusters, labels), labels, splitter()) > 0).all()


@pytest.mark.parametrize(("size", "split"), [(51, {0}), (300, {0}), (800, {0})])
def test_a_cluster_above_half_a_held_out_share_trains(size: int, split: set[int]) -> None:
    clusters = np.concatenate([np.zeros(size, dtype=int), np.arange(1, 1_001 - size)])
    for seed in range(20):
        splits = splitter(seed=seed).assign(clusters, np.arange(1_000) % 2)
        assert {*splits[:size].tolist()} == split
        assert np.bincount(splits).tolist() == [800, 100, 100]


def test_large_groups_are_held_out_where_there_are_no_smaller_ones() -> None:
    splits = splitter().assign(np.arange(100) // 10, np.arange(100) % 2)
    assert np.bincount(splits).tolist() == [80, 10, 10]


def test_the_seed_draws() -> None:
    clusters, labels = np.arange(300), np.arange(300) % 3
    drawn = {tuple(splitter(seed=seed).assign(clusters, labels).tolist()) for seed in range(5)}
    assert len(drawn) == 5
    pairs = {tuple(splitter(seed=seed).assign(clusters // 2, labels).tolist()) for seed in range(5)}
    assert len(pairs) == 5


def test_the_draw_looks_even() -> None:
    held_out = np.zeros(1_000)
    for seed in range(200):
        held_out += splitter(seed=seed).assign(np.arange(1_000), np.zeros(1_000, dtype=int)) > 0
    # 40 of 200 are expected, with a standard deviation of 5.7; z scores of rows should spread like normal ones.
    assert 0.8 < held_out.std() / np.sqrt(200 * 0.2 * 0.8) < 1.2
    assert abs(held_out[:500].mean() - 40) < 1


def test_most_rows_keep_their_split_when_one_leaves() -> None:
    clusters, labels = np.arange(2_000), np.arange(2_000) % 4
    before, after = splitter().assign(clusters, labels), splitter().assign(clusters[1:], labels[1:])
    assert (before[1:] != after).mean() < 0.01


def test_without_validation() -> None:
    part = splitter((0.8, 0.0, 0.2))
    assert list(part.shares) == ["train", "test"]
    assert np.bincount(part.assign(np.arange(10), np.zeros(10, dtype=int))).tolist() == [8, 2]


def test_random_does_not_look_at_labels() -> None:
    clusters = np.arange(200) // 2
    assert (Random().assign(clusters, np.arange(200) % 5) == Random().assign(clusters, np.zeros(200, dtype=int))).all()


GIANT = np.concatenate([np.zeros(90, dtype=int), np.arange(1, 11)])


@pytest.mark.parametrize(
    ("part", "clusters", "says"),
    [
        (splitter(), np.arange(0), "0 rows cannot be split into train, validation, test"),
        (splitter(), np.arange(1), "1 row cannot be split"),
        (splitter(), np.arange(2), "2 rows cannot be split into train, validation, test"),
        (splitter((0.8, 0.0, 0.2)), np.arange(1), "1 row cannot be split into train, test"),
        (splitter(), np.array([0, 0, 0, 1, 1]), "only 2 clusters"),
        (splitter(), GIANT, r"90 of 100 rows belong together \(90\.0%\), more than train is to get \(80\.0%\)"),
        (splitter(), GIANT, "joined by texts with a similarity of at least 0.7"),
        (splitter(keep_together=False), GIANT, "joined by equal texts"),
        (Group(group="author"), GIANT, "joined by equal 'author' or texts"),
        (splitter(), np.arange(99) // 33, "validation would get no rows: it is to get 10, and the smallest of the 3"),
    ],
)
def test_rows_that_cannot_be_split_are_refused(part: Splitter, clusters: np.ndarray, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        part.assign(clusters, np.zeros(len(clusters), dtype=int))
    assert caught.value.hint
    assert len(str(caught.value).splitlines()) <= 5


def test_a_group_splitter_needs_a_group() -> None:
    with pytest.raises(ValidationError, match=r"group\n +Field required"):
        Group.model_validate({"use": "group"})
    with pytest.raises(ValidationError):
        Group.model_validate({"use": "group", "group": None})
    assert "group" in Group.model_json_schema()["required"]
    assert [*Group.columns_named()] == [*Stratified.columns_named()]


@given(shares=st.tuples(*[st.floats(-0.5, 1.5)] * 3))
def test_shares_must_add_up(shares: tuple[float, float, float]) -> None:
    assume(abs(sum(shares) - 1) > 1e-5)
    with pytest.raises(ValidationError):
        splitter(shares)
