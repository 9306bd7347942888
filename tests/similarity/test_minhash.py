"""Signatures and bands keep their promises of probability."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from seedbed.core.similarity import band_keys, bands_for, jaccard, shingle, signatures
from seedbed.core.similarity.shingles import Shingles


def test_bands_have_as_many_rows_as_the_recall_allows() -> None:
    assert bands_for(0.8) == (18, 5)
    assert bands_for(0.8, 64) == (14, 4)
    assert bands_for(0.7) == (26, 4)
    assert bands_for(1.0) == (1, 128)
    assert bands_for(0.01, permutations=16) == (16, 1)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.99])
@pytest.mark.parametrize("permutations", [64, 128, 256])
def test_recall_at_the_threshold(threshold: float, permutations: int) -> None:
    def recall(bands: int, rows: int) -> float:
        return 1 - (1 - threshold**rows) ** bands

    bands, rows = bands_for(threshold, permutations)
    assert bands * rows <= permutations
    assert recall(bands, rows) >= 0.999 or rows == 1
    assert rows == 1 or recall(bands - 1, rows) < 0.999
    assert all(recall(permutations // more, more) < 0.999 for more in range(rows + 1, permutations + 1))


def pair_of_sets(shared: int, only: int, seed: int) -> Shingles:
    values = np.random.default_rng(seed).integers(0, 1 << 48, shared + 2 * only, dtype=np.uint64)
    one, other = values[: shared + only], np.concatenate([values[:shared], values[shared + only :]])
    size = shared + only
    return Shingles(np.array([0, size, 2 * size]), np.concatenate([np.sort(one), np.sort(other)]))


@pytest.mark.parametrize(("shared", "only"), [(90, 5), (50, 50), (10, 90)])
def test_signatures_agree_as_often_as_sets_are_similar(shared: int, only: int) -> None:
    similarity, places = shared / (shared + 2 * only), 4096
    agreed = []
    for seed in range(20):
        one, other = signatures(pair_of_sets(shared, only, seed), places, seed=seed)
        agreed.append(np.mean(one == other))
    error = np.sqrt(similarity * (1 - similarity) / (places * 20))
    assert np.mean(agreed) == pytest.approx(similarity, abs=4 * error)


def test_a_row_does_not_depend_on_the_rows_around_it() -> None:
    texts = pl.Series([f"text number {i} says {i * i} and stops" if i % 5 else None for i in range(3_000)])
    whole = signatures(shingle(texts, "characters"), 16, seed=1)
    some = signatures(shingle(texts.slice(1_234, 50), "characters"), 16, seed=1)
    assert np.array_equal(whole[1_234:1_284], some)
    assert np.all(whole[0] == np.iinfo(np.uint32).max)
    assert not np.array_equal(some, signatures(shingle(texts.slice(1_234, 50), "characters"), 16, seed=2))


def test_signatures_never_change() -> None:
    # Keys in stores rest on these.
    found = signatures(shingle(pl.Series(["the same on every machine"]), "characters"), 4, seed=1997)
    assert found.tolist() == [[4136761, 271844906, 52912611, 119572199]]
    assert band_keys(found, 2, 2).tolist() == [[9771935378952316977, 5071137715652090599]]


def test_keys_are_equal_where_the_whole_band_is() -> None:
    signature = np.array([[1, 2, 3, 4, 9], [1, 2, 3, 5, 9], [3, 4, 1, 2, 9], [1, 2, 1, 2, 9]], dtype=np.uint32)
    keys = band_keys(signature, 2, 2)
    assert keys.shape == (4, 2)
    assert keys[0, 0] == keys[1, 0] == keys[3, 0]
    assert keys[2, 1] == keys[3, 1] != keys[3, 0], "bands that hold the same places have different keys"
    assert len(np.unique(keys)) == 5


def test_bands_find_what_they_promise() -> None:
    bands, rows = bands_for(0.8)
    found = 0
    for seed in range(300):
        sets = pair_of_sets(80, 10, seed)
        assert jaccard(sets, np.array([0]), np.array([1]))[0] == 0.8
        one, other = band_keys(signatures(sets, bands * rows, seed=7), bands, rows)
        found += bool(np.any(one == other))
    assert found >= 297
