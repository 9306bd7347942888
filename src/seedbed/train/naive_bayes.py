"""naive_bayes: counted terms, taken as if they were independent."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import TextClassification as Task

from .example_rows import MESSAGES
from .linear import LinearModel, layer_of
from .target import target_of, texts_of
from .terms import Lengths, TermOptions, Weighting


class NaiveBayes(TermOptions, Learner):
    """Naive Bayes on TF-IDF or counts of words: which label makes these words likely?

    ## Why
    It is the quickest model that reads the text, one pass over the rows, and has nothing to tune but `alpha`: what a
    more elaborate model must beat. `complement` (Rennie, Shih, Teevan & Karger, 2003) asks which label's complement the
    words fit worst, which is kinder to rare labels; `multinomial` is the textbook's.

    ## Limits
    Words are taken to be independent given the label, which they are not: its probabilities are far too sure of
    themselves, the more so the longer the text, until they are calibrated (`evaluate: calibrate`). `complement` knows
    nothing of how frequent the labels are, so a text without known terms gets the same probability for each.
    """

    model: ClassVar[type[Model]] = LinearModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["naive_bayes"] = "naive_bayes"
    kind: Literal["complement", "multinomial"] = Field(
        "complement", description="Which naive Bayes: `complement` (kinder to rare labels) or `multinomial`."
    )
    alpha: float = Field(
        0.3, gt=0, allow_inf_nan=False, description="Times that every term counts as seen with every label beforehand."
    )
    weighting: Weighting = Field(
        "tfidf", description="Whether terms are weighted by TF-IDF or just counted (`counts`)."
    )
    characters: Lengths | None = Field(
        None, description="Shortest and longest run of characters within a word to count; null for none."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Six messages",
            options={"min_df": 1},
            before=MESSAGES,
            after={"predicted": MESSAGES["label"]},
        ),
        Example(
            title="Multinomial",
            options={"kind": "multinomial", "min_df": 1, "words": [1, 1]},
            before={
                "text": ["cash now", "lunch now", "cash prize", "lunch", "cash", "now"],
                "label": ["spam", "ham", "spam", "ham", "spam", "ham"],
            },
            after={"predicted": ["spam", "ham", "spam", "ham", "spam", "ham"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> LinearModel:
        """Learn terms, then count them. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one label only, or no term that enough rows have.
        """
        from sklearn.naive_bayes import ComplementNB, MultinomialNB

        target = target_of(train, task)
        terms, features = self.learn_terms(texts_of(train, task.text), column=task.text, weighting=self.weighting)
        solver = (ComplementNB if self.kind == "complement" else MultinomialNB)(alpha=self.alpha)
        solver.fit(features, target.codes, sample_weight=target.weights)
        offsets = solver.class_log_prior_ * (self.kind == "multinomial")
        weights, intercepts = layer_of(solver.feature_log_prob_, offsets, solver.classes_, target)
        return LinearModel(labels=target.labels, text=task.text, terms=terms, weights=weights, intercepts=intercepts)
