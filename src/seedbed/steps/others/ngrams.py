"""Runs of words as 64-bit hashes, and a sieve that says which hashes may be among many."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.similarity import normalise
from seedbed.core.similarity.shingles import mix

Hashes = NDArray[np.uint64]

_WORD = re.compile(r"\w+")
# Bits of the sieve for each hash, at least, and how many of them a hash sets.
_BITS = 12
_SET = 3
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Words:
    r"""The words (`\w+` of the normalised text) of some texts, one text after the other."""

    tokens: pl.Series
    """Shape (words,)."""
    hashes: Hashes
    """Shape (words,). They are the same in every process with this version of Polars."""
    counts: NDArray[np.int64]
    """Words of each text, shape (texts,)."""

    @classmethod
    def of(cls, texts: pl.Series) -> Words:
        """The words of texts; a missing one has none."""
        found = normalise(texts).str.extract_all(r"\w+")
        counts = found.list.len().fill_null(0).to_numpy().astype(np.int64)
        tokens = found.filter(pl.Series(counts > 0)).explode()
        return cls(tokens, tokens.hash().to_numpy(), counts)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each text's words begin, shape (texts,)."""
        return np.cumsum(self.counts) - self.counts

    def runs(self, length: int, within: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Where a run of so many words of one text begins, among all words.

        Args:
            length: Words in a run.
            within: Texts to look at, shape (texts,); all when left out.
        """
        enough = self.counts >= length if within is None else (self.counts >= length) & within
        # How many words of its text follow a word, itself included.
        left = np.repeat(self.starts + self.counts, self.counts) - np.arange(len(self.hashes))
        return np.flatnonzero((left >= length) & np.repeat(enough, self.counts))

    def of_runs(self, at: NDArray[np.int64], length: int) -> Hashes:
        """A hash of each run; runs of different lengths differ."""
        hashes = np.full(len(at), length, dtype=np.uint64)
        for place in range(length):
            hashes *= _FACTOR
            hashes += self.hashes[at + place]
        return mix(hashes)

    def text_of(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The text that each word stands in."""
        return np.searchsorted(np.cumsum(self.counts), at, side="right").astype(np.int64)


def run_in(text: str, at: int, length: int) -> str:
    """A run of words as it stands in a normalised text, with the signs between and beside them.

    Args:
        text: The text.
        at: The run's first word, from 0.
        length: Its words.
    """
    found = list(islice(_WORD.finditer(text), at, at + length))
    if not found:  # Python and Polars disagree on what a letter is
        return text
    # Up to the next spaces, so that what has to be masked is seen whole.
    start = max(text.rfind(" ", 0, found[0].start()) + 1, 0)
    end = text.find(" ", found[-1].end())
    return text[start : end if end >= 0 else len(text)]


@dataclass(frozen=True)
class NGrams:
    """Which runs of words stand for a text of another dataset, and which of them a row may share."""

    length: int
    """Words of a run."""
    shortest: int
    """A text of fewer words than `length` is one run as a whole if it has so many."""

    def of_others(self, words: Words) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64]]:
        """Hashes of the runs of other datasets' texts, the text of each, and its length."""
        found = [(self.length, words.runs(self.length))]
        for length in range(self.shortest, self.length):
            found.append((length, words.runs(length, words.counts == length)))
        at = np.concatenate([places for _, places in found])
        lengths = np.repeat([length for length, _ in found], [len(places) for _, places in found])
        hashes = np.concatenate([words.of_runs(places, length) for length, places in found])
        return hashes, words.text_of(at), lengths.astype(np.int64)

    def of_rows(self, words: Words, lengths: Collection[int]) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64]]:
        """Hashes of all runs of rows' texts, where each begins among all words, and its length.

        Args:
            words: Of the rows.
            lengths: Of the runs that other datasets have.
        """
        found = [(length, words.runs(length)) for length in sorted(lengths)]
        if not found:
            return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        at = np.concatenate([places for _, places in found])
        hashes = np.concatenate([words.of_runs(places, length) for length, places in found])
        return hashes, at, np.repeat([length for length, _ in found], [len(places) for _, places in found])


class Sieve:
    """A set of hashes in a few bits each, which lets one in a hundred others through.

    Source: Bloom, "Space/time trade-offs in hash coding with allowable errors" (1970).

    Args:
        expected: How many hashes there will be; more make it let more through.
    """

    def __init__(self, expected: int) -> None:
        self._power = max(16, int(_BITS * max(expected, 1) - 1).bit_length())
        self._bits = np.zeros(1 << (self._power - 3), dtype=np.uint8)

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return self._bits.nbytes

    def add(self, hashes: Hashes) -> None:
        """Add hashes."""
        for which in range(_SET):
            places, bits = self._places(hashes, which)
            np.bitwise_or.at(self._bits, places, bits)

    def among(self, hashes: Hashes) -> NDArray[np.int64]:
        """Places of the hashes that are in the set, and of a few that are not."""
        left = np.arange(len(hashes))
        for which in range(_SET):
            places, bits = self._places(hashes[left], which)
            left = left[self._bits[places] & bits > 0]
        return left

    def _places(self, hashes: Hashes, which: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        spread = mix(hashes + np.uint64(which)) >> np.uint64(64 - self._power)
        return (spread >> np.uint64(3)).astype(np.int64), np.uint8(1) << (spread & np.uint64(7)).astype(np.uint8)
