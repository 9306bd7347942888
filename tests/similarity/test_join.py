"""The exact join against all pairs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.similarity import Shingles, components, jaccard, join, shingle, similar_pairs

# From few shingles, so that sets overlap; sizes differ, so that lengths matter.
SETS = st.lists(st.sets(st.integers(0, 25), max_size=14), max_size=25)
THRESHOLDS = st.sampled_from([0.05, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0]) | st.floats(0.01, 1)


def shingles_of(sets: list[set[int]]) -> Shingles:
    offsets = np.cumsum([0, *(len(one) for one in sets)])
    values = [value * 0x9E3779B1 % (1 << 48) for one in sets for value in one]
    ordered = [sorted(values[a:b]) for a, b in pairwise(offsets)]
    return Shingles(offsets.astype(np.int64), np.asarray([v for row in ordered for v in row], dtype=np.uint64))


def all_pairs(sets: list[set[int]], threshold: float) -> dict[tuple[int, int], float]:
    first = {}
    for i, one in enumerate(sets):
        first.setdefault(frozenset(one), i)
    found = {}
    for i, one in enumerate(sets):
        original = first[frozenset(one)]
        if one and original != i:
            found[original, i] = 1.0
            continue
        for j in range(i):
            other = sets[j]
            if one and other and first[frozenset(other)] == j and one != other:
                similarity = len(one & other) / len(one | other)
                if similarity >= threshold:
                    found[j, i] = similarity
    return found


def joined(shingles: Shingles, threshold: float) -> dict[tuple[int, int], float]:
    left, right, similarity = similar_pairs(shingles, threshold)
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    assert pairs == sorted(set(pairs)), "each pair once, in order"
    return dict(zip(pairs, similarity.tolist(), strict=True))


@given(SETS, THRESHOLDS)
@settings(max_examples=400, deadline=None)
def test_every_pair_is_found_and_no_other(sets: list[set[int]], threshold: float) -> None:
    assert joined(shingles_of(sets), threshold) == all_pairs(sets, threshold)


@given(SETS, THRESHOLDS)
@settings(max_examples=100, deadline=None)
def test_small_chunks_and_few_counters_find_the_same(sets: list[set[int]], threshold: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "_MATCHES", 3)
        patch.setattr(join, "_MOST_COUNTERS", 4)
        assert joined(shingles_of(sets), threshold) == all_pairs(sets, threshold)


@given(SETS, THRESHOLDS, st.sampled_from([1, 10, 1_000_000]))
@settings(max_examples=200, deadline=None)
def test_spanning_pairs_are_true_and_join_the_same_rows(sets: list[set[int]], threshold: float, matches: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "_MATCHES", matches)
        left, right, similarity = similar_pairs(shingles_of(sets), threshold, spanning=True)
    every = all_pairs(sets, threshold)
    found = dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))
    assert found.items() <= every.items()
    expected = components(len(sets), [a for a, _ in every], [b for _, b in every])
    assert components(len(sets), left, right).tolist() == expected.tolist()


def test_spanning_a_crowd_takes_few_pairs() -> None:
    texts = pl.Series([f"Your code is {i:03}. Do not give it to anyone, please, not even to us." for i in range(400)])
    shingles = shingle(texts, "characters")
    left, right, _ = similar_pairs(shingles, 0.7, spanning=True)
    assert not components(len(texts), left, right).any()
    assert len(left) < 4 * len(texts)
    assert len(similar_pairs(shingles, 0.7)[0]) == 400 * 399 / 2


@pytest.mark.parametrize(("shared", "only", "threshold"), [(7, 3, 0.7), (8, 2, 0.8), (9, 1, 0.9), (3, 7, 0.3)])
def test_a_pair_at_the_threshold_counts(shared: int, only: int, threshold: float) -> None:
    sets = [set(range(shared)), set(range(shared + only))]
    assert joined(shingles_of(sets), threshold) == {(0, 1): threshold}


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_texts(threshold: float) -> None:
    words = [f"w{i}" for i in range(40)]
    draw = np.random.default_rng(3)
    texts = []
    for _ in range(60):
        text = draw.choice(words, draw.integers(3, 20)).tolist()
        texts.append(" ".join(text))
        for _ in range(4):
            text[draw.integers(len(text))] = str(draw.choice(words))
            texts.append(" ".join(text))
    shingles = shingle(pl.Series(texts), "characters")
    left, right = np.triu_indices(len(texts), 1)
    similarity = jaccard(shingles, left, right)
    expected = set(zip(left[similarity >= threshold], right[similarity >= threshold], strict=True))
    copies = {b for a, b in zip(left[similarity == 1], right[similarity == 1], strict=True)}
    found = joined(shingles, threshold)
    assert {pair for pair in found if not copies & set(pair)} == {p for p in expected if not copies & set(p)}
    assert {b for (_, b), value in found.items() if value == 1} == copies
    assert len(found) > 20


def test_nothing_in_nothing_out() -> None:
    assert joined(shingles_of([]), 0.7) == {}
    assert joined(shingles_of([set(), set()]), 0.7) == {}
    assert joined(shingles_of([{1}]), 0.7) == {}


def test_it_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.core.similarity.join._MATCHES", 500)
    texts = [f"the {n} quick brown foxes jump over {n % 50} lazy dogs" for n in range(600)] + [
        "",
        "the same",
        "the same",
    ]
    told: list[int] = []
    similar_pairs(shingle(pl.Series(texts), "characters"), 0.7, told=told.append)
    assert sum(told) == len(texts)
    assert len(told) > 10 and min(told) >= 0
    told.clear()
    similar_pairs(shingle(pl.Series(texts), "characters"), 1.0, told=told.append)
    assert sum(told) == len(texts)
