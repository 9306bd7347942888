"""Texts against other texts: the same as comparing every pair."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.similarity.against import Against
from seedbed.core.similarity.shingles import Kind
from seedbed.splits.verify import shingles

SOME = ["red", "sky", "blue", "sea", "green", "tree", "car", "road", "the", "of"]
WORDS = st.lists(st.sampled_from(SOME), max_size=9).map(" ".join)
TEXTS = st.lists(st.none() | WORDS | st.text(max_size=8), max_size=12)


def _alike(one: str | None, other: str | None, kind: Kind) -> float:
    a, b = shingles(one, kind), shingles(other, kind)
    return len(a & b) / len(a | b) if a and b else 0.0


@given(held=TEXTS, asked=TEXTS, threshold=st.sampled_from([0.3, 0.5, 0.7, 1.0]))
@pytest.mark.parametrize("kind", ["characters", "words"])
def test_it_finds_what_comparing_every_pair_finds(
    kind: Kind, held: list[str | None], asked: list[str | None], threshold: float
) -> None:
    against = Against.of(pl.Series(held, dtype=pl.String), kind, threshold)
    places, similarity = against.nearest(pl.Series(asked, dtype=pl.String))
    for text, place, alike in zip(asked, places.tolist(), similarity.tolist(), strict=True):
        all_of_them = [_alike(text, other, kind) for other in held]
        best = max(all_of_them, default=0.0)
        if best < threshold - 1e-9:
            assert (place, alike) == (-1, 0.0)
        else:
            assert alike == pytest.approx(best)
            assert place == all_of_them.index(max(all_of_them))


def test_many_texts_are_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.core.similarity.against._ROWS", 7)
    texts = pl.Series([f"the number {n} is a number like any other {n * n}" for n in range(40)])
    against = Against.of(texts, "words", 0.9)
    places, similarity = against.nearest(texts)
    assert places.tolist() == list(range(40))
    assert np.allclose(similarity, 1)
    assert against.nearest(pl.Series([], dtype=pl.String))[0].tolist() == []
