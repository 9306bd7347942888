"""The metric `answerable_accuracy`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.task import Says

from .exact_match import answered
from .mean_of_rows import MeanOfRows


class AnswerableAccuracy(MeanOfRows):
    """The share of questions of which the model knows whether the text answers them.

    ## Why
    A model that always answers invents something where there is nothing, and one that is too careful says nothing
    where there is: the other metrics mix that with how well it finds the place. Here only "answer or none" counts.

    ## Limits
    What it answers does not matter. Where all questions have answers, a model that always answers gets 1.
    """

    says: ClassVar[tuple[Says, ...]] = ("spans",)
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["answerable_accuracy"] = "answerable_accuracy"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="wrong, but rightly an answer; rightly none; wrongly one",
            before={
                "truth": [[{"text": "1848", "start": 0}], [], []],
                "text": ["Köln", None, "Bonn"],
                "start": [3, None, 9],
                "confidence": [0.9, 0.8, 0.7],
            },
            after={"value": [2 / 3]},
        ),
    )

    def each(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """1 where there is an answer and one is given, or neither; else 0."""
        pairs = answered(truth, answers)
        return np.array([bool(right) == bool(said) for right, said in pairs], dtype=np.float64)
