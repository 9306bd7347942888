"""The metric `token_f1`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.statistics import squad
from seedbed.core.task import Says

from .exact_match import answered
from .mean_of_rows import MeanOfRows


class TokenF1(MeanOfRows):
    """How many words answers share with the right ones: F1 of each question, averaged.

    ## Why
    An answer that is a word too long is worth more than a wrong one. Of several right answers the best counts; where
    the question has none, or none is given, it is all or nothing. Values are those of the official evaluator of SQuAD
    2.0, as a share (Rajpurkar et al. 2018, *Know What You Don't Know*).

    ## Limits
    Words are what stands between spaces, so that it says little for languages that write without them. Case, ASCII
    punctuation and English articles do not count. Where many questions have no answer, a model that never answers
    gets their share: read `answerable_accuracy` beside it.
    """

    says: ClassVar[tuple[Says, ...]] = ("spans",)
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["token_f1"] = "token_f1"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="a word too many, and the better of two right answers",
            before={
                "truth": [
                    [{"text": "1848", "start": 0}],
                    [{"text": "Köln", "start": 3}, {"text": "Köln on the Rhine", "start": 3}],
                ],
                "text": ["year 1848", "Köln on Rhine"],
                "start": [0, 3],
                "confidence": [0.9, 0.8],
            },
            after={"value": [5 / 6]},
        ),
    )

    def each(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """F1 of each question."""
        return np.array([squad.token_f1(right, said) for right, said in answered(truth, answers)], dtype=np.float64)
