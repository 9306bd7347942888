"""Which of the texts that are there a new one is too like to: exact, and one text at a time."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.similarity.shingles import Kind, shingle

#: Texts that are cut into shingles together.
_MANY = 10_000


class Texts:
    """Texts by their shingles.

    Two sets with a Jaccard similarity of at least t share one of their first shingles, in any fixed order of all
    shingles, where "first" leaves out fewer than t of a set's: so only those are looked up, and what is found is
    compared exactly (Chaudhuri, Ganti and Kaushik, "A primitive operator for similarity joins", 2006).

    Args:
        kind: What a shingle is.
        at_least: Similarity from which texts are too alike.
    """

    def __init__(self, kind: Kind, at_least: float) -> None:
        self._kind, self._at_least = kind, at_least
        self._names: list[str] = []
        self._sets: list[NDArray[np.uint64]] = []
        self._by_shingle: dict[int, list[int]] = defaultdict(list)

    def add_all(self, names: list[str], texts: list[str]) -> None:
        """Take up texts, each with a name, whatever they are like."""
        for start in range(0, len(texts), _MANY):
            held = shingle(pl.Series(texts[start : start + _MANY], dtype=pl.String), self._kind)
            for place, name in enumerate(names[start : start + _MANY]):
                self._add(name, held.values[held.offsets[place] : held.offsets[place + 1]])

    def take(self, name: str, text: str) -> tuple[str, float] | None:
        """Take up a text, unless it is too like to one that is there: that one then, with their similarity."""
        held = shingle(pl.Series([text], dtype=pl.String), self._kind).values
        near = self._nearest(held)
        if near is None:
            self._add(name, held)
        return near

    def _nearest(self, held: NDArray[np.uint64]) -> tuple[str, float] | None:
        """The first of the most similar texts that are similar enough."""
        best: tuple[str, float] | None = None
        for one in sorted({one for value in self._first(held) for one in self._by_shingle.get(value, ())}):
            other = self._sets[one]
            if min(len(held), len(other)) < self._at_least * max(len(held), len(other)) - 1e-9:
                continue
            shared = len(np.intersect1d(held, other, assume_unique=True))
            alike = shared / (len(held) + len(other) - shared)
            if alike >= self._at_least and (best is None or alike > best[1]):
                best = (self._names[one], alike)
        return best

    def _add(self, name: str, held: NDArray[np.uint64]) -> None:
        for value in self._first(held):
            self._by_shingle[value].append(len(self._sets))
        self._names.append(name)
        self._sets.append(held)

    def _first(self, held: NDArray[np.uint64]) -> list[int]:
        # Hashes are sorted: as good an order as any, and the same for all.
        several = len(held) - math.ceil(self._at_least * len(held) - 1e-9) + 1
        first: list[int] = held[:several].tolist() if len(held) else []
        return first
