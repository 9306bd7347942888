"""tfidf_ridge: TF-IDF of words and characters, then ridge regression."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Regression, Task

from .example_rows import LAMPS
from .linear import LinearModel
from .ridge import RidgeOptions
from .target import texts_of
from .target_numbers import numbers_of
from .terms import TermOptions


class TfidfRidge(TermOptions, RidgeOptions, Learner):
    """Ridge regression on TF-IDF of words and of characters within words: a number for a text.

    ## Why
    It is hard to beat on short texts with some thousands of rows, learns in seconds on one core, and what it learned
    can be read: what each term adds to the number. Numbers that are less lopsided as logarithms, such as most prices,
    are learned as such: then each term multiplies the number, and no answer is below 0. The fit is convex and solved
    close to its optimum, so no seed is drawn.

    ## Limits
    It does not know word order beyond the longest n-gram, nor that two words mean the same, and figures in a text are
    words to it like others: 1.2 is no nearer to 1.3 than to 9. On the scale of logarithms its answers are what lies in
    the middle, by factors, and below the mean: where sums of answers matter, say `scale: linear`. The text is read as
    it is: clean it before.
    """

    learns: ClassVar[tuple[str, ...]] = ("regression",)
    model: ClassVar[type[Model[Any]]] = LinearModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["tfidf_ridge"] = "tfidf_ridge"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Six offers: gold adds 50, silver 20",
            options={"min_df": 1, "alpha": 1e-6, "characters": None, "scale": "linear"},
            before=LAMPS,
            after={"predicted": LAMPS["target"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> LinearModel:
        """Learn terms, then weights. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one number only, or no term that enough rows have.
        """
        assert isinstance(task, Regression)
        numbers = numbers_of(train, task, self.scale)
        terms, features = self.learn_terms(texts_of(train, task.text), column=task.text)
        (weights, intercepts), link = self.solve(features.astype(np.float64), numbers, context, name=self.use)
        return LinearModel(labels=(), text=task.text, terms=terms, weights=weights, intercepts=intercepts, link=link)
