"""What rows may share with other datasets: an index of these, small enough for every worker to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.similarity import Kind, band_keys, bands_for, shingle, signatures

from .against import Others, pieces
from .joined import Joined, together
from .ngrams import Hashes, NGrams, Sieve, Words

#: How a row was found: it may share a run of words, or a band of its signature; or it is near to the text `key`.
NGRAM, BAND, PAIR = 0, 1, 2
KEYS: dict[str, pl.DataType] = {
    NUMBER: pl.UInt64(),
    "key": pl.UInt64(),
    "how": pl.UInt8(),
    "at": pl.UInt32(),
    "length": pl.UInt32(),
    "words": pl.UInt32(),
    "similarity": pl.Float64(),
}
# Length of signatures, and which permutations.
_PERMUTATIONS, _SEED = 128, 1997


@dataclass(frozen=True)
class Compared:
    """What is compared, and how."""

    ngrams: NGrams | None
    kind: Kind
    threshold: float | None
    """Jaccard similarity from which texts are near duplicates, if they are looked for."""

    def bands_of(self, texts: pl.Series) -> tuple[Hashes, NDArray[np.int64]]:
        """Keys of the texts' bands, and the text of each."""
        bands, rows = bands_for(self.threshold or 1, _PERMUTATIONS)
        found = shingle(texts, self.kind)
        filled = np.flatnonzero(found.sizes)
        keys = band_keys(signatures(found, bands * rows, _SEED)[filled], bands, rows)
        return keys.ravel(), np.repeat(filled, bands)


@dataclass
class Index:
    """Other datasets in a few bytes: up to 3 for each run of words, and 80 for each text's bands or 12 a shingle."""

    compared: Compared
    sieve: Sieve
    lengths: set[int] = field(default_factory=set)
    """Of the runs of words in it."""
    joined: Joined | None = None
    """The texts, where they are few enough to be compared exactly."""

    @classmethod
    def of(cls, others: Others, compared: Compared, exact: int) -> Index:
        """Read other datasets twice: once to count, once to keep.

        Args:
            others: The datasets.
            compared: What is compared.
            exact: Shingles up to which near duplicates are compared exactly.
        """
        texts = words = characters = 0
        for some in others.texts():
            texts += some.texts.len()
            words += int(some.texts.str.count_matches(r"\s+").sum()) + some.texts.len()
            characters += int(some.texts.str.len_chars().sum())
        near = compared.threshold is not None
        small = near and (characters if compared.kind == "characters" else words) <= exact
        bands = bands_for(compared.threshold or 1, _PERMUTATIONS)[0] if near and not small else 0
        index = cls(compared, Sieve((words if compared.ngrams else 0) + texts * bands))
        held = []
        for some in others.texts():
            index._add(some.texts, bands > 0)
            if small:
                held.append((shingle(some.texts, compared.kind), some.numbers.to_numpy()))
        if small:
            numbers = np.concatenate([np.zeros(0, np.uint64), *(number for _, number in held)])
            index.joined = Joined(together([found for found, _ in held]), numbers, compared.threshold or 1)
        return index

    def _add(self, texts: pl.Series, banded: bool) -> None:
        if self.compared.ngrams:
            hashes, _, lengths = self.compared.ngrams.of_others(Words.of(texts))
            self.sieve.add(hashes)
            self.lengths |= set(np.unique(lengths).tolist())
        if banded:
            self.sieve.add(self.compared.bands_of(texts)[0])

    def keys_of(self, numbers: pl.Series, texts: pl.Series) -> pl.DataFrame:
        """What rows may share, `KEYS`; most rows have none."""
        found = [pl.DataFrame(schema=KEYS)]
        for start, end in pieces(texts):
            found += self._keys_of(numbers.slice(start, end - start), texts.slice(start, end - start))
        return pl.concat(found)

    def _keys_of(self, numbers: pl.Series, texts: pl.Series) -> Iterator[pl.DataFrame]:
        if self.compared.ngrams and self.lengths:
            words = Words.of(texts)
            hashes, at, lengths = self.compared.ngrams.of_rows(words, self.lengths)
            hits = self.sieve.among(hashes)
            text = words.text_of(at[hits])
            begins = at[hits] - words.starts[text]
            told = {"at": begins, "length": lengths[hits], "words": words.counts[text]}
            yield _keys(numbers, text, hashes[hits], NGRAM, **told)
        if self.joined is not None:
            rows, others, similarity = self.joined.nearest(shingle(texts, self.compared.kind))
            yield _keys(numbers, rows, others, PAIR, similarity=similarity)
        elif self.compared.threshold is not None:
            keys, text = self.compared.bands_of(texts)
            hits = self.sieve.among(keys)
            yield _keys(numbers, text[hits], keys[hits], BAND)


def _keys(
    numbers: pl.Series, rows: NDArray[np.int64], keys: Hashes, how: int, **told: NDArray[np.int64] | NDArray[np.float64]
) -> pl.DataFrame:
    given = {NUMBER: numbers.gather(rows), "key": keys, **told}
    columns = {name: pl.Series(values=values).cast(KEYS[name]) for name, values in given.items()}
    lacking = [pl.lit(None, kind).alias(name) for name, kind in KEYS.items() if name not in (*columns, "how")]
    return pl.DataFrame(columns).with_columns(pl.lit(how, pl.UInt8).alias("how"), *lacking).select(list(KEYS))
