"""Texts of other datasets of which the nearest to each of many rows is found exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedbed.core.similarity import Shingles, jaccard
from seedbed.core.similarity.shingles import chunks, spans

from .ngrams import Hashes, Sieve

# Pairs that are measured together.
_PAIRS = 2_000_000


class Joined:
    """Texts of other datasets by their rarest shingles, so that the nearest to each of many rows is found exactly.

    A text that shares enough with a row shares one of its few rarest shingles with it (the prefix filter of Bayardo, Ma
    and Srikant, "Scaling up all pairs similarity search", 2007).

    Args:
        held: Shingles of the texts.
        numbers: What each is called, shape (texts,).
        threshold: Jaccard similarity from which a text is near.
    """

    def __init__(self, held: Shingles, numbers: Hashes, threshold: float) -> None:
        self._held, self._numbers, self._threshold = held, numbers, threshold
        _, which, counts = np.unique(held.values, return_inverse=True, return_counts=True)
        row = np.repeat(np.arange(len(held)), held.sizes)
        order = np.lexsort((which, counts[which], row))  # rows stay together, the rarest come first in each
        place = np.arange(len(row)) - np.repeat(held.offsets[:-1], held.sizes)
        prefix = held.sizes - np.ceil(threshold * held.sizes - 1e-9).astype(np.int64) + 1
        kept = place < prefix[row]
        keys, rows = held.values[order][kept], row[kept]
        order = np.argsort(keys, kind="stable")
        self._rows = rows[order]
        self._keys, self._starts = np.unique(keys[order], return_index=True)
        self._counts = np.diff(self._starts, append=len(order))
        self._sieve = Sieve(len(self._keys))  # asked first, because most shingles are in no text
        self._sieve.add(self._keys)

    def nearest(self, rows: Shingles) -> tuple[NDArray[np.int64], Hashes, NDArray[np.float64]]:
        """The rows that are near to a text, what the nearest is called (the first of equals), and the similarity."""
        found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        if self._keys.size and rows.values.size:
            hits = self._sieve.among(rows.values)
            at = np.searchsorted(self._keys, rows.values[hits]).clip(max=len(self._keys) - 1)
            there = self._keys[at] == rows.values[hits]
            hits, at = hits[there], at[there]
            mine = np.searchsorted(rows.offsets, hits, side="right") - 1
            both = together([self._held, rows])
            for start, end in chunks(self._counts[at], items=_PAIRS, rows=max(len(at), 1)):
                found.append(self._verified(both, mine[start:end], at[start:end]))
        row, text, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.lexsort((text, -similarity, row))
        best = order[np.diff(row[order], prepend=-1) != 0]
        return row[best], self._numbers[text[best]], similarity[best]

    def _verified(
        self, both: Shingles, mine: NDArray[np.int64], at: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Rows, texts and their similarity, where it is enough."""
        counts = self._counts[at]
        text = self._rows[spans(self._starts[at], counts)]
        row = np.repeat(mine, counts) + len(self._held)
        sizes = both.sizes
        one, other = sizes[text], sizes[row]
        near = np.minimum(one, other) >= self._threshold * np.maximum(one, other) - 1e-9
        pairs = np.unique(row[near] << 32 | text[near])
        row, text = pairs >> 32, pairs & 0xFFFFFFFF
        similarity = jaccard(both, row, text)
        enough = similarity >= self._threshold
        return row[enough] - len(self._held), text[enough], similarity[enough]


def together(parts: list[Shingles]) -> Shingles:
    """The rows of several, one after the other."""
    offsets = np.zeros(1 + sum(map(len, parts)), dtype=np.int64)
    np.cumsum(np.concatenate([np.zeros(0, np.int64), *(part.sizes for part in parts)]), out=offsets[1:])
    return Shingles(offsets, np.concatenate([np.zeros(0, np.uint64), *(part.values for part in parts)]))
