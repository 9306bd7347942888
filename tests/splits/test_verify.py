from __future__ import annotations

import ast
import inspect
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from seedbed.core.similarity import jaccard, shingle
from seedbed.splits import Verification, verify
from seedbed.splits.verify import MOST_PAIRS, shingles, upper_bound

WORDS = ["a", "the", "Good", "day", "to", "you", "all", "ÉTÉ", "straße", "ﬁne", ":)", "", "日本語です", "été"]
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)
TEXTS = st.none() | SENTENCES | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def stream(texts: list[str | None], size: int = 3) -> Callable[[], Iterator[tuple[np.ndarray, list[str | None]]]]:
    def batches() -> Iterator[tuple[np.ndarray, list[str | None]]]:
        for start in range(0, len(texts), size):
            yield np.arange(start, min(start + size, len(texts)), dtype=np.uint64), texts[start : start + size]

    return batches


def check(texts: list[str | None], splits: list[int], *, size: int = 3, **options: Any) -> Verification:
    settled: dict[str, Any] = {"kind": "characters", "threshold": 0.7, "seed": 1, **options}
    numbers = np.arange(len(texts), dtype=np.uint64)
    return verify(stream(texts, size), numbers, np.array(splits, dtype=np.int8), **settled)


def brute(text: str | None, kind: str) -> set[str]:
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text or "").casefold()).strip()
    if kind == "characters":
        return {plain[at : at + 5] for at in range(len(plain) - 4)} or ({plain} if plain else set())
    words = re.findall(r"\w+", plain)
    threes = {f"{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)}
    return threes or ({" ".join(words) or plain} if plain else set())


@given(
    rows=st.lists(st.tuples(TEXTS, st.integers(0, 2)), min_size=1, max_size=14),
    kind=st.sampled_from(["characters", "words"]),
    threshold=st.sampled_from([0.2, 0.5, 0.7, 1.0]),
    size=st.integers(1, 20),
)
@example(rows=[("abcde", 0), ("ABC\tde ", 1)], kind="characters", threshold=1.0, size=1)
@example(rows=[("", 0), (" ", 1), (None, 2)], kind="words", threshold=0.2, size=2)
@settings(deadline=None, max_examples=300)
def test_it_finds_what_comparing_every_two_sets_finds(
    rows: list[tuple[str | None, int]], kind: str, threshold: float, size: int
) -> None:
    texts, splits = [text for text, _ in rows], [split for _, split in rows]
    found = check(texts, splits, kind=kind, threshold=threshold, size=size)
    sets = [brute(text, kind) for text in texts]
    expected = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a in range(len(rows))
        for b in range(a)
        if splits[a] != splits[b] and sets[a] and len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= threshold
    }
    assert {(max(held, other), min(held, other)): similarity for held, other, similarity in found.pairs} == expected
    assert len(found.pairs) == len(expected), "each pair once"
    assert all(splits[held] for held, _, _ in found.pairs), "the held-out row comes first"
    leaking = {row for pair in expected for row in pair if splits[row]}
    assert (found.rows, found.of, found.leaking) == (sum(map(bool, splits)), sum(map(bool, splits)), len(leaking))


@given(texts=st.lists(TEXTS, min_size=2, max_size=12), kind=st.sampled_from(["characters", "words"]))
@settings(deadline=None, max_examples=300)
def test_it_means_the_same_by_similarity_as_the_join(texts: list[str | None], kind: Any) -> None:
    hashed = shingle(pl.Series(texts, dtype=pl.String), kind)
    left, right = np.triu_indices(len(texts), 1)
    sets = [shingles(text, kind) for text in texts]
    plain = [len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b])) for a, b in zip(left, right, strict=True)]
    assert jaccard(hashed, left, right).tolist() == plain


def test_it_shares_no_code_with_the_join() -> None:
    tree = ast.parse(inspect.getsource(sys.modules["seedbed.splits.verify"]))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if name.startswith("seedbed") or name in ("clusters", "dealing")}


def test_a_near_copy_among_many_rows_is_found() -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS[:8], 3)) + f" number {row} {row * 7919 % 1000}" for row in range(500)]
    texts[417] = "We had such a lovely time at the lake yesterday, thank you all!"
    texts[33] = "we had  such a LOVELY time at the lake yesterday, thank you all"
    splits = [0] * 400 + [1] * 50 + [2] * 50
    found = check(texts, splits, threshold=0.9)
    assert [(held, other) for held, other, _ in found.pairs] == [(417, 33)]
    assert found.leaking == 1
    assert found.upper_bound == 1 / 100


def test_rows_to_test_on_are_compared_with_validation_rows() -> None:
    found = check(["one text here", "another thing", "One text here"], [1, 0, 2])
    assert [{*pair[:2]} for pair in found.pairs] == [{0, 2}]
    assert found.leaking == 2


def test_a_sample_of_the_held_out_rows_is_drawn_by_the_seed() -> None:
    texts = [f"text number {row % 50}" for row in range(300)]
    splits = [0] * 100 + [1] * 100 + [2] * 100
    found = [check(texts, splits, seed=seed, sample=40, threshold=1.0) for seed in (1, 1, 2)]
    drawn = [{held for held, _, _ in one.pairs} for one in found]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all((one.rows, one.of, one.leaking) == (40, 200, 40) for one in found)
    assert min(min(rows) for rows in drawn) >= 100
    clean = check([f"{row:05}" for row in range(300)], splits, sample=40, threshold=1.0)
    assert clean.upper_bound == pytest.approx(1 - 0.05 ** (1 / 40))


def test_the_pairs_of_a_careless_split_do_not_fill_the_memory() -> None:
    found = check(["all the same"] * 800, [0] * 400 + [1] * 400)
    assert len(found.pairs) == MOST_PAIRS < 400 * 400
    assert found.leaking == 400


def test_nothing_held_out() -> None:
    found = check(["a", "a"], [0, 0])
    assert (found.rows, found.of, found.pairs, found.upper_bound) == (0, 0, [], 0.0)


def test_a_row_that_was_not_split_is_refused() -> None:
    with pytest.raises(ValueError, match="not split"):
        verify(
            stream(["a", "b", "c"]),
            np.arange(2, dtype=np.uint64),
            np.array([0, 1], dtype=np.int8),
            kind="words",
            threshold=0.5,
            seed=1,
        )


@given(compared=st.integers(1, 3_000), share=st.floats(0, 1))
@settings(deadline=None)
def test_the_bound_is_that_of_clopper_and_pearson(compared: int, share: float) -> None:
    leaking = round(share * compared)
    exact = stats.beta.ppf(0.95, leaking + 1, compared - leaking) if leaking < compared else 1.0
    assert upper_bound(leaking, compared, compared + 1) == pytest.approx(exact, abs=1e-9)


def test_the_bound_where_every_row_was_compared_is_what_was_found() -> None:
    assert upper_bound(0, 100, 100) == 0
    assert upper_bound(3, 100, 100) == 0.03
    assert upper_bound(0, 0, 0) == 0
    assert upper_bound(0, 0, 10) == 1
    assert upper_bound(0, 2_000, 10_000) == pytest.approx(0.0015, abs=1e-5)


def test_the_bound_covers_a_sample_drawn_without_replacement() -> None:
    # 30 of 400 held-out rows leak; a sample of 100 must not understate that more often than 5 %.
    drawn = np.random.default_rng(5).hypergeometric(30, 370, 100, size=2_000)
    short = np.mean([upper_bound(int(leaking), 100, 400) < 30 / 400 for leaking in drawn])
    assert short <= 0.05
