"""Which items of a queue are near copies of one of them: found by MinHash bands, measured on their shingles."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.similarity import band_keys, bands_for, choose_kind, jaccard, shingle, signatures
from seedbed.core.similarity.shingles import SHORT, Shingles

#: Jaccard similarity from which texts are near copies.
NEAR = 0.7
#: Items that are named at most.
MOST = 500
#: So much of a text is compared.
_CHARACTERS = 5_000
_SEED = 1997


@dataclass
class Similar:
    """Near copies among the texts of a queue. The index is made once, when it is first asked for."""

    texts: pl.Series
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _index: _Index | None = None

    def ready(self) -> _Index:
        """The index."""
        with self._lock:
            if self._index is None:
                self._index = _Index.of(self.texts)
            return self._index

    def to(self, place: int) -> list[tuple[int, float]]:
        """Places of the near copies of an item, with their similarity; the nearest first, without itself."""
        return self.ready().near(place)


@dataclass(frozen=True)
class _Index:
    shingles: Shingles
    bands: int
    keys: NDArray[np.uint64]
    """Sorted; of every text and band."""
    rows: NDArray[np.int64]
    """The text that each key is of."""
    own: NDArray[np.uint64]
    """Keys of each text, shape (texts, bands)."""

    @classmethod
    def of(cls, texts: pl.Series) -> _Index:
        heads = texts.str.slice(0, _CHARACTERS)
        kind = choose_kind(int((heads.str.len_chars() < SHORT).sum()), len(heads))
        bands, rows = bands_for(NEAR)  # few and short: what shares one by chance is compared when somebody asks
        found = shingle(heads, kind)
        own = band_keys(signatures(found, bands * rows, _SEED), bands, rows)
        order = np.argsort(own, axis=None, kind="stable")
        return cls(found, bands, own.ravel()[order], order // bands, own)

    def near(self, place: int) -> list[tuple[int, float]]:
        low = np.searchsorted(self.keys, self.own[place], "left")
        high = np.searchsorted(self.keys, self.own[place], "right")
        others = [self.rows[a : min(b, a + 4 * MOST)] for a, b in zip(low, high, strict=True)]
        among = np.unique(np.concatenate(others))
        among = among[(among != place) & (self.shingles.sizes[among] > 0)]
        if not len(among) or not self.shingles.sizes[place]:
            return []
        similarity = jaccard(self.shingles, np.full(len(among), place, dtype=np.int64), among)
        order = np.lexsort((among, -similarity))
        near = [(int(among[one]), round(float(similarity[one]), 4)) for one in order if similarity[one] >= NEAR]
        return near[:MOST]
