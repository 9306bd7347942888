"""Which of many texts are near to one of a few: an exact join of two sides, by prefixes as in `join`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .shingles import Kind, Shingles, gather, jaccard, shingle, spans

#: Texts that are compared together.
_ROWS = 5_000
_SLACK = 1e-9


@dataclass(frozen=True)
class Against:
    """Texts that others are compared with."""

    kind: Kind
    threshold: float
    shingles: Shingles
    _known: NDArray[np.uint64]
    """Their shingles, each once, sorted."""
    _frequency: NDArray[np.int64]
    """Texts that have each of them."""
    _postings: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    """Places in `_known` that are in prefixes: the first and the number of `texts`, and the texts."""

    @classmethod
    def of(cls, texts: pl.Series, kind: Kind, threshold: float) -> Against:
        """Make ready to compare with texts (missing ones are near to nothing).

        Args:
            texts: Strings, shape (rows,).
            kind: What a shingle is.
            threshold: Jaccard similarity from which two texts are near, above 0 and at most 1.
        """
        found = shingle(texts, kind)
        known, frequency = np.unique(found.values, return_counts=True)
        rank, row = _prefixes(found, np.searchsorted(known, found.values), frequency, threshold)
        order = np.argsort(rank, kind="stable")
        counts = np.bincount(rank, minlength=len(known))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(known) else np.zeros(0, dtype=np.int64)
        return cls(kind, threshold, found, known, frequency, (starts.astype(np.int64), counts, row[order]))

    def nearest(self, texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The text that each of some texts is nearest to, the first of equals, and their similarity.

        Returns:
            Places, -1 where none is near enough, and Jaccard similarities (0 there), both of shape (rows,).
        """
        places = np.full(len(texts), -1, dtype=np.int64)
        similarity = np.zeros(len(texts))
        if len(self._known):
            for start in range(0, len(texts), _ROWS):
                here = slice(start, start + _ROWS)
                places[here], similarity[here] = self._nearest(shingle(texts[here], self.kind))
        return places, similarity

    def _nearest(self, found: Shingles) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        at = np.searchsorted(self._known, found.values).clip(max=len(self._known) - 1)
        # A shingle that no text has comes before all others: it is the rarest there can be.
        rank = np.where(self._known[at] == found.values, at, -1)
        prefix, row = _prefixes(found, rank, self._frequency, self.threshold)
        starts, counts, texts = self._postings
        row, prefix = row[prefix >= 0], prefix[prefix >= 0]
        met = counts[prefix]
        pairs = np.unique(np.repeat(row, met) * len(self.shingles) + texts[spans(starts[prefix], met)])
        mine, other = pairs // len(self.shingles), pairs % len(self.shingles)
        alike = _similarity(found, mine, self.shingles, other)
        near = alike >= self.threshold - _SLACK
        mine, other, alike = mine[near], other[near], alike[near]
        first = np.lexsort((other, -alike, mine))
        mine, other, alike = mine[first], other[first], alike[first]
        best = np.unique(mine, return_index=True)[1]
        places, similarity = np.full(len(found), -1, dtype=np.int64), np.zeros(len(found))
        places[mine[best]], similarity[mine[best]] = other[best], alike[best]
        return places, similarity


def _prefixes(
    found: Shingles, rank: NDArray[np.int64], frequency: NDArray[np.int64], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rarest shingles of each row, enough that two near rows share one: their ranks, and their rows."""
    row = np.repeat(np.arange(len(found)), found.sizes)
    rarity = np.where(rank < 0, 0, frequency[rank.clip(min=0)]) if len(frequency) else rank
    order = np.lexsort((rank, rarity, row))
    place = np.arange(len(order)) - np.repeat(found.offsets[:-1], found.sizes)
    needed = np.ceil(threshold * found.sizes - _SLACK).astype(np.int64)
    first = place < np.repeat(found.sizes - needed + 1, found.sizes)
    return rank[order][first], row[order][first]


def _similarity(one: Shingles, mine: NDArray[np.int64], two: Shingles, other: NDArray[np.int64]) -> NDArray[np.float64]:
    """Similarity of rows of one side and rows of the other."""
    used, at = np.unique(other, return_inverse=True)
    values, offsets = gather(two, used)
    both = Shingles(np.concatenate([one.offsets, one.offsets[-1] + offsets[1:]]), np.concatenate([one.values, values]))
    return jaccard(both, mine, len(one) + at)
