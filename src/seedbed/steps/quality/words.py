"""Measures on words, and on words in a row: whole columns at once, as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .pieces import beside, pieces

#: Of which a text in English has some (Rae et al., 2021).
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
_SYMBOLS_ONLY = r"^[\p{P}\p{S}]+$"
#: Odd, so that multiplying by it loses nothing.
_PRIME = np.uint64(0x9E3779B97F4A7C15)

Ints = NDArray[np.int64]


def word_measures(texts: pl.Series) -> pl.DataFrame:
    """`words`, `word_length`, `words_with_letters`, `stop_words`, `hashes_per_word`, `ellipses_per_word` of each text.

    Words are what blanks part; what consists of punctuation and symbols alone is no word where words are counted and
    measured. Measures of a text without any are null.
    """
    table = _words(texts).with_columns(symbols=pl.col("word").str.contains(_SYMBOLS_ONLY))
    bare = pl.col("word").str.to_lowercase().str.strip_chars(".,;:!?\"'()[]“”‘’")
    by_text = table.group_by("text").agg(
        every=pl.len(),
        words=(~pl.col("symbols")).sum(),
        word_length=pl.col("word").filter(~pl.col("symbols")).str.len_chars().mean(),
        words_with_letters=pl.col("word").str.contains(r"\p{L}").mean(),
        stop_words=bare.filter(bare.is_in(STOP_WORDS)).n_unique(),
    )
    return (
        beside(texts, by_text)
        .with_columns(
            words=pl.col("words").fill_null(0),
            stop_words=pl.col("stop_words").fill_null(0),
            hashes_per_word=texts.str.count_matches("#", literal=True) / pl.col("every"),
            ellipses_per_word=texts.str.count_matches(r"\.\.\.|…") / pl.col("every"),
        )
        .drop("every")
    )


def gram_measures(texts: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """Shares of the characters of each text that stand in repeated words in a row; names as in `rules`.

    `top_N_gram` is that of the N words in a row which occur most, at least twice; `duplicate_N_grams` of words that
    stand in N words in a row that were there before, each counted once. A text in which nothing recurs has 0.
    """
    table = _words(texts)
    chars = texts.str.len_chars().fill_null(0).to_numpy().astype(np.float64)
    found = {name: np.zeros(texts.len()) for name in names}
    if table.height:
        row = table["text"].to_numpy().astype(np.int64)
        length = table["word"].str.len_chars().to_numpy().astype(np.int64)
        word = table["word"].hash().to_numpy()
        top = {int(name.split("_")[1]): name for name in names if name.startswith("top_")}
        again = {int(name.split("_")[1]): name for name in names if name.startswith("duplicate_")}
        for n in sorted(top):
            found[top[n]] = _of_top(row, length, word, n, texts.len())
        for n in sorted(again):
            found[again[n]] = _of_duplicates(row, length, word, n, texts.len())
            # Where no n words recur, no more than n do.
            some = np.flatnonzero(found[again[n]])
            stays = np.isin(row, some)
            row, length, word = row[stays], length[stays], word[stays]
    with np.errstate(invalid="ignore"):
        return pl.DataFrame(
            {name: np.where(chars > 0, value / np.maximum(chars, 1), 0) for name, value in found.items()}
        )


def _of_top(row: Ints, length: Ints, word: NDArray[np.uint64], n: int, rows: int) -> NDArray[np.float64]:
    """Characters of each text's most frequent n-gram, blanks within included, times how often it occurs."""
    grams, at = _grams(row, word, n)
    if not len(grams):
        return np.zeros(rows)
    _, first, counts = np.unique(grams, return_index=True, return_counts=True)
    wide = _sums(length, n)[at[first]] + n - 1
    table = pl.DataFrame({"row": row[at[first]], "count": counts, "first": first, "characters": wide * counts})
    # Of several that occur as often, the one that comes first.
    best = table.filter(pl.col("count") > 1).sort("row", -pl.col("count"), "first").unique("row", keep="first")
    found = np.zeros(rows)
    found[best["row"].to_numpy()] = best["characters"].to_numpy()
    return found


def _of_duplicates(row: Ints, length: Ints, word: NDArray[np.uint64], n: int, rows: int) -> NDArray[np.float64]:
    """Characters of words that stand in an n-gram which was in the text before."""
    grams, at = _grams(row, word, n)
    if not len(grams):
        return np.zeros(rows)
    _, first = np.unique(grams, return_index=True)
    seen = np.ones(len(grams), bool)
    seen[first] = False
    # A word is covered if one of the n grams that hold it is: ends less starts, summed up.
    edges = np.zeros(len(row) + 1, np.int64)
    np.add.at(edges, at[seen], 1)
    np.add.at(edges, at[seen] + n, -1)
    covered = np.cumsum(edges)[:-1] > 0
    return np.bincount(row[covered], weights=length[covered], minlength=rows).astype(np.float64)


def _grams(row: Ints, word: NDArray[np.uint64], n: int) -> tuple[NDArray[np.uint64], Ints]:
    """A hash of each n words in a row of one text, the text included, and where the first of them stands."""
    if len(word) < n:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    at = np.flatnonzero(row[: len(row) - n + 1] == row[n - 1 :])
    value = row[at].astype(np.uint64) * _PRIME
    for i in range(n):
        value = (value ^ word[at + i]) * _PRIME
        value ^= value >> np.uint64(29)
    return value, at


def _sums(length: Ints, n: int) -> Ints:
    """Sums of n lengths in a row, by the place of the first."""
    total = np.concatenate([[0], np.cumsum(length)])
    return np.asarray(total[n:] - total[:-n], np.int64)


def _words(texts: pl.Series) -> pl.DataFrame:
    """`text` (its number) and `word` of each word, in order."""
    return pieces(texts.str.extract_all(r"\S+"), "word")
