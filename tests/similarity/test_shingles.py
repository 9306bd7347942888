"""Shingles against plain Python sets of strings."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedbed.core.similarity import Kind, choose_kind, jaccard, normalise, shingle
from seedbed.core.similarity.shingles import HASH_BITS, set_hashes

KINDS: tuple[Kind, ...] = ("characters", "words")  # equal rows have none
# Polars holds UTF-8, so no surrogates.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
# Few letters, so that texts share shingles.
LIKE_TEXT = st.text("ab \n\x1cÉß", max_size=25)
TEXTS = st.lists(st.none() | ANY_TEXT | LIKE_TEXT, max_size=12)


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def sets_of(text: str | None, kind: Kind) -> set[str]:
    normal = plain(text or "")
    if kind == "characters":
        return {normal[i : i + 5] for i in range(len(normal) - 4)} or ({normal} if normal else set())
    tokens = re.findall(r"\w+", normal)
    if not tokens:
        return {normal} if normal else set()
    return {" ".join(tokens[i : i + 3]) for i in range(len(tokens) - 2)} or {" ".join(tokens)}


def similarity_of(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


@given(TEXTS)
@settings(deadline=None)  # the first call makes a table of characters
@example(["\x1c a\t\tB \x0b c\x85d\u3000e", "ﬁn Ⅳ İ ß ẞ", None, "", " \n"])
def test_normalise(texts: list[str | None]) -> None:
    found = normalise(pl.Series(texts, dtype=pl.String)).to_list()
    assert found == [None if text is None else plain(text) for text in texts]


@pytest.mark.parametrize("kind", KINDS)
@given(TEXTS)
@settings(deadline=None)  # the first call makes a table of characters
@example(["a b" * 9, "Straße ﬁn über", "\0\0", "\0", "!\0!", "🙂🙂🙂", "a🙂b c🙂", "é", "x" * 40 + " y z"])
@example(["a b", "a  B", "a\u0300 b", "!!!", "???", "! !", "नमस्ते दुनिया कैसे हो", "x_1 y-2 z", None, ""])
def test_shingles_are_those_of_python_sets(kind: Kind, texts: list[str | None]) -> None:
    found = shingle(pl.Series(texts, dtype=pl.String), kind)
    expected = [sets_of(text, kind) for text in texts]
    assert found.sizes.tolist() == [len(one) for one in expected]
    left, right = np.triu_indices(len(texts))
    assert jaccard(found, left, right).tolist() == [
        similarity_of(expected[a], expected[b]) for a, b in zip(left, right, strict=True)
    ]
    hashes = set_hashes(found)
    assert (hashes[left] == hashes[right]).tolist() == [
        expected[a] == expected[b] for a, b in zip(left, right, strict=True)
    ]


@pytest.mark.parametrize("kind", KINDS)
@given(TEXTS)
@settings(deadline=None)  # the first call makes a table of characters
def test_each_row_is_sorted_and_has_each_hash_once(kind: Kind, texts: list[str | None]) -> None:
    found = shingle(pl.Series(texts, dtype=pl.String), kind)
    for start, end in pairwise(found.offsets):
        row = found.values[start:end]
        assert np.all(row[1:] > row[:-1])
        assert np.all(row < np.uint64(1 << HASH_BITS))


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_rows_around_it(kind: Kind) -> None:
    # More rows than one chunk holds, and one row that is longer than a chunk.
    texts = pl.Series([f"row number {i} of many rows, ü" if i % 7 else None for i in range(70_000)])
    texts = pl.concat([texts, pl.Series(["lorem ipsum 7 " * 150_000]), texts.head(5)])
    whole = shingle(texts, kind)
    for start in (0, 65_530, 69_999):
        some = shingle(texts.slice(start, 20), kind)
        first, last = whole.offsets[start], whole.offsets[start + len(some)]
        assert whole.values[first:last].tolist() == some.values.tolist()
        assert np.diff(whole.offsets[start : start + len(some) + 1]).tolist() == some.sizes.tolist()


def test_hashes_never_change() -> None:
    # Stored keys and the certificate rest on these: a change here is a change of the format.
    assert shingle(pl.Series(["abcdef"]), "characters").values.tolist() == [175650505763761, 225899997591080]
    assert shingle(pl.Series(["One two, three FOUR"]), "words").values.tolist() == [77002210777297, 208580459740941]
    assert shingle(pl.Series(["ab"]), "characters").values.tolist() == [192039451968267]
    assert shingle(pl.Series(["Größe"]), "characters").values.tolist() == [39243143727132, 139709088948426]


def test_the_kind_follows_the_lengths() -> None:
    assert choose_kind(short=51, rows=100) == "characters"
    assert choose_kind(short=50, rows=100) == "words"


def test_similarity_of_no_pairs_and_no_rows() -> None:
    nothing = shingle(pl.Series([], dtype=pl.String), "words")
    assert len(nothing) == 0
    assert jaccard(nothing, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == []
