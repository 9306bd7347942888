"""What a new text is too like to is found exactly."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest

from seedbed.core.similarity.shingles import Kind, jaccard, shingle
from seedbed.sources.generating.diversity import Texts

WORDS = ["sun", "moon", "star", "rain", "snow", "wind", "tree", "leaf", "root", "bird", "fish", "wolf"]


def texts(several: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    found = [" ".join(chance.choices(WORDS, k=chance.randint(1, 9))) for _ in range(several // 2)]
    while len(found) < several:  # and some that are nearly others
        words = chance.choice(found).split()
        words[chance.randrange(len(words)) : chance.randrange(len(words) + 1)] = chance.choices(WORDS, k=1)
        found.append(" ".join(words))
    return found


@pytest.mark.parametrize("kind", ["characters", "words"])
@pytest.mark.parametrize("at_least", [0.3, 0.5, 0.7, 1.0])
def test_as_every_pair_compared(kind: Kind, at_least: float) -> None:
    given = texts(300, seed=7)
    held, kept = shingle(pl.Series(given), kind), list[int]()
    index, refused = Texts(kind, at_least), 0
    for place, text in enumerate(given):
        alike = jaccard(held, np.full(len(kept), place, np.int64), np.array(kept, np.int64))
        best = int(alike.argmax()) if len(kept) and alike.max() >= at_least else None
        found = index.take(str(place), text)
        if best is None:
            assert found is None
            kept.append(place)
        else:
            refused += 1
            assert found == (str(kept[best]), pytest.approx(alike[best]))
    assert refused > 10


def test_a_text_of_nothing_is_like_nothing() -> None:
    index = Texts("characters", 0.5)
    assert index.take("a", "") is None
    assert index.take("b", " ") is None
