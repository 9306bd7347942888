from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.errors import DataError
from seedbed.core.similarity import shingle, similar_pairs
from seedbed.core.splitter import Certificate, Splitter
from seedbed.splits import Group, Random, Stratified, Verification, certify, cluster, make_split, verify
from seedbed.splits.certify import ROUNDS, MadeRows

NOBODY = (np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64))


def split(
    texts: list[str], *, part: Splitter | None = None, pairs: Any = NOBODY, sample: int = 2_000, **options: Any
) -> tuple[np.ndarray, Certificate, list[Verification]]:
    part = part or Stratified()
    numbers = np.arange(1, len(texts) + 1, dtype=np.uint64)
    checked: list[Verification] = []

    def check(splits: np.ndarray, done: int) -> Verification:
        checked.append(
            verify(
                lambda: [(numbers, texts)],
                numbers,
                splits,
                kind="characters",
                threshold=0.7,
                seed=part.seed + done,
                sample=sample,
            )
        )
        return checked[-1]

    labels = np.arange(len(texts)) % 2
    splits, certificate = make_split(
        part, numbers, labels, pairs=pairs, verify_with=check, method="exact join", **options
    )
    return splits, certificate, checked


def distinct(count: int) -> list[str]:
    """Texts that share hardly anything."""
    rng = np.random.default_rng(11)
    return ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz "), 40)) for _ in range(count)]


def test_a_clean_split_is_certified() -> None:
    splits, certificate, checked = split(distinct(100))
    assert len(checked) == 1
    assert np.bincount(splits).tolist() == [80, 10, 10]
    assert certificate.model_dump() == {
        "threshold": 0.7,
        "shingles": "characters",
        "method": "exact join",
        "clusters": 100,
        "largest_cluster": 1,
        "splits": {"train": 80, "validation": 10, "test": 10},
        "asked": {"train": 0.8, "validation": 0.1, "test": 0.1},
        "got": {"train": 0.8, "validation": 0.1, "test": 0.1},
        "verified": {"rows": 20, "of": 20, "pairs_found": 0, "upper_bound": 0.0},
        "train_only": None,
        "made": None,
        "left_out": None,
        "moved": None,
        "times": None,
        "folds": None,
        "group": None,
        "rounds": 1,
        "passed": True,
    }
    assert json.loads(certificate.model_dump_json())["passed"] is True


def test_planted_copies_that_the_join_missed_are_found_and_mended() -> None:
    texts = distinct(200)
    for row in range(0, 40, 2):
        texts[row + 1] = texts[row] + "!"
    splits, certificate, checked = split(texts)
    assert checked[0].pairs, "some of 20 pairs straddle a split that knows nothing of them"
    assert all(abs(held - other) == 1 and similarity > 0.9 for held, other, similarity in checked[0].pairs)
    assert certificate.rounds == len(checked) > 1
    assert checked[-1].pairs == []
    assert certificate.passed
    assert certificate.largest_cluster == 2
    assert certificate.clusters < 200
    assert (splits[:40:2] == splits[1:40:2]).all()


def test_copies_that_were_known_need_one_round() -> None:
    texts = distinct(200)
    for row in range(0, 40, 2):
        texts[row + 1] = texts[row] + "!"
    left = np.arange(1, 40, 2, dtype=np.uint64)
    splits, certificate, checked = split(texts, pairs=(left, left + np.uint64(1)))
    assert (len(checked), certificate.rounds, certificate.clusters) == (1, 1, 180)
    assert (splits[:40:2] == splits[1:40:2]).all()


def test_a_split_that_cannot_be_mended_is_not_passed() -> None:
    # Every row has copies, and each round sees two of them only.
    texts = [f"{text} {extra}" for text in distinct(150) for extra in "ab"]
    _, certificate, checked = split(texts, sample=2)
    assert len(checked) == ROUNDS == certificate.rounds
    assert not certificate.passed
    assert certificate.verified["pairs_found"] > 0
    assert certificate.verified["upper_bound"] > 0.5


def test_each_round_draws_a_fresh_sample() -> None:
    rounds: list[int] = []

    def check(splits: np.ndarray, done: int) -> Verification:
        rounds.append(done)
        pairs = [(int(np.flatnonzero(splits)[0]) + 1, 1, 0.9)] if done < 3 else []
        return Verification(kind="words", rows=1, of=2, pairs=pairs, leaking=len(pairs), upper_bound=0.9)

    _, certificate = make_split(
        Random(), np.arange(1, 31, dtype=np.uint64), np.zeros(30, dtype=int), pairs=NOBODY, verify_with=check, method=""
    )
    assert rounds == [1, 2, 3]
    assert certificate.passed
    assert certificate.shingles == "words"


def test_a_cluster_that_straddles_is_never_certified() -> None:
    numbers = np.arange(1, 5, dtype=np.uint64)
    clusters = cluster(numbers, pairs=(numbers[:1], numbers[1:2]))
    clean = Verification(kind="words", rows=2, of=2, pairs=[], leaking=0, upper_bound=0.0)
    for splits, passed in (([0, 0, 1, 2], True), ([0, 1, 1, 2], False)):
        made = certify(Random(), clusters, np.array(splits, dtype=np.int8), clean, method="")
        assert made.passed is passed


def test_groups_and_parents_stay_together() -> None:
    texts = distinct(120)
    authors = pl.Series("author", [row // 3 if row < 90 else None for row in range(120)])
    parents = (np.arange(91, 106, dtype=np.uint64), np.arange(106, 121, dtype=np.uint64))
    splits, certificate, _ = split(texts, part=Group(group="author"), groups=[authors], made=MadeRows(parents))
    assert all(len({*splits[start : start + 3].tolist()}) == 1 for start in range(0, 90, 3))
    assert (splits[90:105] == splits[105:]).all()
    assert certificate.clusters == 45
    assert certificate.passed


def test_too_large_a_cluster_says_what_joins_it() -> None:
    texts = distinct(100)
    authors = pl.Series("author", ["one"] * 70 + [None] * 30)
    chain = np.arange(70, 90, dtype=np.uint64)
    with pytest.raises(DataError) as caught:
        split(texts, groups=[authors], pairs=(chain, chain + np.uint64(1)))
    assert "90 of 100 rows belong together" in str(caught.value)
    assert "copies (20 links), group author (69 links)" in str(caught.value)


def test_exact_copies_only() -> None:
    _, certificate, _ = split(distinct(50), part=Stratified(keep_together=False))
    assert certificate.threshold is None


PHRASES = st.lists(st.sampled_from(["good morning", "all you people", "never mind", "it rains", "so what"]), max_size=4)


@given(rows=st.lists(st.tuples(PHRASES, st.integers(0, 30)), min_size=8, max_size=60), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=60)
def test_with_the_join_no_near_copies_are_ever_parted(rows: list[tuple[list[str], int]], seed: int) -> None:
    texts = [f"{' '.join(phrases)} {number:05b}" for phrases, number in rows]
    left, right, _ = similar_pairs(shingle(pl.Series(texts), "characters"), 0.7)
    numbers = np.arange(1, len(texts) + 1, dtype=np.uint64)
    part = Stratified(train=0.5, validation=0.25, test=0.25, seed=seed)
    try:
        splits, certificate, _ = split(texts, part=part, pairs=(numbers[left], numbers[right]))
    except DataError:
        return
    assert certificate.passed
    assert certificate.rounds == 1
    assert (splits[left] == splits[right]).all()
