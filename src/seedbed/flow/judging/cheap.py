"""The learner that looks at data: quick, and good enough that rows and steps tell on it."""

from __future__ import annotations

import polars as pl

from seedbed.train.tfidf_logistic import TfidfLogistic

#: Fewer characters than this for each blank: texts whose words are told apart by blanks.
_TO_A_BLANK = 20
#: Below so many rows a term that one of them has is worth counting.
_FEW = 500


def cheap_learner(texts: pl.Series) -> TfidfLogistic:
    """A learner that costs a fraction of a usual one, and ranks labels nearly as well.

    Words alone, with which logistic regression takes a seventh of the time; characters where texts have no blanks.
    """
    told = pl.DataFrame({"text": texts}).select(
        blanks=pl.col("text").str.count_matches(r"\s").sum(), characters=pl.col("text").str.len_chars().sum()
    )
    blanks, characters = told.row(0)
    fewest = 1 if len(texts) < _FEW else 2
    if characters > _TO_A_BLANK * blanks:
        return TfidfLogistic(words=None, min_df=fewest)
    return TfidfLogistic(characters=None, min_df=fewest)
