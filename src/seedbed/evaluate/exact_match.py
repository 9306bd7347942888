"""The metric `exact_match`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.statistics.squad import exact
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows


class ExactMatch(MeanOfRows):
    """The share of questions whose answer is one of the right ones, word for word.

    ## Why
    It is the stricter of SQuAD's two numbers: what share of answers could be used as they are. Case, punctuation, the
    articles "a", "an", "the" and white space do not count; no answer is right where the question has none. Values are
    those of the official evaluator of SQuAD 2.0, as a share (Rajpurkar et al. 2018, *Know What You Don't Know*).

    ## Limits
    "the year 1848" for "1848" counts as nothing: read `token_f1` beside it. Articles are those of English. Only the
    text counts, not where it stands.
    """

    says: ClassVar[tuple[Says, ...]] = ("spans",)
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["exact_match"] = "exact_match"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="an article more, a word more, rightly nothing, wrongly nothing",
            before={
                "truth": [
                    [{"text": "river Rhine", "start": 4}],
                    [{"text": "1848", "start": 0}],
                    [],
                    [{"text": "Bonn", "start": 9}],
                ],
                "text": ["the river Rhine", "year 1848", None, None],
                "start": [0, 0, None, None],
                "confidence": [0.9, 0.8, 0.7, 0.6],
            },
            after={"value": [0.5]},
        ),
    )

    def each(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """1 for an answer that is right, else 0."""
        return np.array([exact(right, said) for right, said in answered(truth, answers)], dtype=np.float64)


def answered(truth: pl.Series, answers: pl.DataFrame) -> list[tuple[list[str], str | None]]:
    """The texts of each question's right answers, and what was said."""
    right = [[one["text"] for one in row or []] for row in truth.to_list()]
    return list(zip(right, answers["text"].to_list(), strict=True))
