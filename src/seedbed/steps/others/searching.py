"""The search in other datasets for what an index let through: reads them once more and keeps what is really there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.similarity import jaccard, shingle
from seedbed.core.step import Groups

from .against import Others
from .joined import together
from .ngrams import Hashes, Words
from .overlap import BAND, KEYS, NGRAM, PAIR, Compared

# Texts of other datasets that one band's key is compared with, and pairs that are verified together.
_FIRST_FEW, _ROWS = 50, 20_000
_NONE = np.iinfo(np.uint64).max
_OTHER: dict[str, pl.DataType] = {"other": pl.UInt64()}


@dataclass(frozen=True)
class Search:
    """Looks in other datasets for what the sieve let through, and keeps what is really there."""

    others: Others
    compared: Compared
    groups: Groups
    column: str

    def __call__(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reads the other datasets once for each partition of the keys.

        Returns:
            Runs of words that rows share, `NUMBER`, `at`, `length`, `words`, `other`; and near texts, `NUMBER`,
            `other`, `similarity`: the nearest of each row.
        """
        runs = [pl.DataFrame(schema={name: KEYS[name] for name in (NUMBER, "at", "length", "words")} | _OTHER)]
        near = [pl.DataFrame(schema={NUMBER: KEYS[NUMBER]} | _OTHER | {"similarity": pl.Float64})]
        for part in self.groups.partitions():
            near.append(part.filter(how=PAIR).select(NUMBER, "similarity", other="key").select(near[0].columns))
            sieved = part.filter(pl.col("how") != PAIR)
            if sieved.height:
                some, pairs = self._found(sieved)
                runs.append(some.select(runs[0].columns))
                near += pairs
        nearest = pl.concat(near).sort(NUMBER, -pl.col("similarity"), "other").unique(NUMBER, keep="first")
        return pl.concat(runs), nearest.sort(NUMBER)

    def _found(self, sieved: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        wanted, banded = (sieved.filter(how=how)["key"].unique().sort().to_numpy() for how in (NGRAM, BAND))
        first = np.full(len(wanted), _NONE)
        candidates = [pl.DataFrame(schema={"key": pl.UInt64, "text": pl.UInt32})]
        texts: list[pl.DataFrame] = []
        seen = np.zeros(len(banded), dtype=np.int64)
        for some in self.others.texts():
            if self.compared.ngrams and wanted.size:
                hashes, text, _ = self.compared.ngrams.of_others(Words.of(some.texts))
                at, hit = _places(wanted, hashes)
                np.minimum.at(first, at, some.numbers.to_numpy()[text[hit]])
            if banded.size:
                keys, text = self.compared.bands_of(some.texts)
                at, hit = _places(banded, keys)
                few = seen[at] < _FIRST_FEW
                at, hit = at[few], hit[few]
                np.add.at(seen, at, 1)
                used, which = np.unique(text[hit], return_inverse=True)
                begin = sum(frame.height for frame in texts)
                candidates.append(
                    pl.DataFrame({"key": banded[at], "text": which + begin}, schema=candidates[0].schema, strict=False)
                )
                texts.append(pl.DataFrame({"other": some.numbers.gather(used), "words": some.texts.gather(used)}))
        there = pl.DataFrame({"key": wanted, "other": first}).filter(pl.col("other") != _NONE)
        runs = sieved.filter(how=NGRAM).join(there, on="key", how="inner")
        if not texts:
            return runs, []
        pairs = sieved.filter(how=BAND).join(pl.concat(candidates), on="key", how="inner")
        return runs, list(self._verified(pairs.select(NUMBER, "text").unique().sort(NUMBER, "text"), pl.concat(texts)))

    def _verified(self, pairs: pl.DataFrame, texts: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The nearest text of each row, of those that are similar."""
        threshold = self.compared.threshold or 1
        for start in range(0, pairs.height, _ROWS):
            some = pairs.slice(start, _ROWS)
            rows = self.groups.lookup(some[NUMBER].unique(), [self.column])
            used, text = np.unique(some["text"].to_numpy(), return_inverse=True)
            mine = shingle(rows[self.column].cast(pl.String), self.compared.kind)
            both = together([mine, shingle(texts["words"].gather(used), self.compared.kind)])
            left = np.searchsorted(rows[NUMBER].to_numpy(), some[NUMBER].to_numpy())
            similarity = jaccard(both, left, text + len(mine))
            measured = some.select(NUMBER, other=texts["other"].gather(some["text"]), similarity=pl.Series(similarity))
            yield measured.filter(pl.col("similarity") >= threshold)


def _places(wanted: Hashes, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where hashes stand among the wanted, which are sorted; and which hashes these are."""
    at = np.searchsorted(wanted, hashes).clip(max=max(len(wanted) - 1, 0))
    hit = np.flatnonzero(wanted[at] == hashes)
    return at[hit], hit
