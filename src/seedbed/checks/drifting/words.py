"""How many words of a text a reference does not know."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.similarity.shingles import mix

_WORD = r"\w\w+"
#: Fewer texts on a side say nothing about a vocabulary.
_FEWEST = 20


def unseen(before: pl.Series, now: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Share of words of each text that half the reference's texts do not know: of the other half, and of those now.

    The other half is what makes it fair: every text has words that texts before it had not. Texts that stand in both
    would not be: half of them are known to the word. None where there are too few texts to tell.
    """
    before = before.unique(maintain_order=True)
    now = now.filter(~now.is_in(before.implode()))
    if len(before) < 2 * _FEWEST or len(now) < _FEWEST:
        return None
    half = pl.Series(mix(np.arange(len(before), dtype=np.uint64)) % 2 == 0)  # every second row may be of one kind
    known, others = before.filter(half), before.filter(~half)
    return unseen_share(known, others), unseen_share(known, now)


def unseen_share(known: pl.Series, texts: pl.Series) -> NDArray[np.float64]:
    """Share of words of each text that known texts do not hold; 0 where there are none, shape (texts,)."""
    vocabulary = _words(known)["word"].unique()
    told = _words(texts).with_columns(new=~pl.col("word").is_in(vocabulary.implode()))
    shares = told.group_by("at").agg(pl.col("new").mean())
    found = np.zeros(len(texts))
    found[shares["at"].to_numpy()] = shares["new"].to_numpy()
    return found


def _words(texts: pl.Series) -> pl.DataFrame:
    table = pl.DataFrame({"at": range(len(texts)), "word": texts}, schema_overrides={"word": pl.String})
    lists = table.with_columns(pl.col("word").str.to_lowercase().str.extract_all(_WORD))
    return lists.explode("word").drop_nulls("word")
