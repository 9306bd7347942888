"""naive_bayes: counted terms, taken as if they were independent."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.search import Search
from seedbed.core.task import Task

from .example_rows import MESSAGES, TOPICS
from .linear import Layer, LinearModel, each_by_itself, layer_of, link_of
from .target import Target, texts_of
from .target_sets import LABELS_OF_TEXTS, TargetSets, TextTask, coded
from .terms import Lengths, TermOptions, Weighting

#: Log-odds that part labels for and against which a text says as much: else it would be given all of them.
_TIE = 1e-3


class NaiveBayes(TermOptions, Learner):
    """Naive Bayes on TF-IDF or counts of words: which label makes these words likely?

    ## Why
    It is the quickest model that reads the text, one pass over the rows, and has nothing to tune but `alpha`: what a
    more elaborate model must beat. `complement` (Rennie, Shih, Teevan & Karger, 2003) asks which label's complement the
    words fit worst, which is kinder to rare labels; `multinomial` is the textbook's.

    ## Limits
    Words are taken to be independent given the label, which they are not: its probabilities are far too sure of
    themselves, the more so the longer the text, until they are calibrated (`evaluate: calibrate`). `complement` knows
    nothing of how frequent the labels are, so a text without known terms gets the same probability for each. Where rows
    have any number of labels, each is held against all rows without it: there the two differ only in that
    `multinomial` heeds how frequent labels are, and gives rare ones next to never, and `complement` gives them freely;
    a text without known terms is given those that most rows have.
    """

    learns: ClassVar[tuple[str, ...]] = LABELS_OF_TEXTS
    model: ClassVar[type[Model[Any]]] = LinearModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["naive_bayes"] = "naive_bayes"
    kind: Literal["complement", "multinomial"] = Field(
        "complement", description="Which naive Bayes: `complement` (kinder to rare labels) or `multinomial`."
    )
    alpha: Annotated[float, Search(0.01, 10, log=True)] = Field(
        0.3, gt=0, allow_inf_nan=False, description="Times that every term counts as seen with every label beforehand."
    )
    weighting: Annotated[Weighting, Search.among("tfidf", "counts")] = Field(
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
        Example(
            title="Any number of labels",
            options={"min_df": 1, "words": [1, 1], "characters": [3, 4]},
            before=TOPICS,
            after={"predicted": TOPICS["label"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> LinearModel:
        """Learn terms, then count them. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one label (or set of labels) only, or no term that enough rows have.
        """
        assert isinstance(task, TextTask)
        target = coded(train, task)
        terms, features = self.learn_terms(texts_of(train, task.text), column=task.text, weighting=self.weighting)
        weights, intercepts = self._count(features, target, context)
        return LinearModel(
            labels=target.labels,
            text=task.text,
            terms=terms,
            weights=weights,
            intercepts=intercepts,
            link=link_of(target),
        )

    def _count(self, features: Any, target: Target | TargetSets, context: Context) -> Layer:
        from sklearn.naive_bayes import ComplementNB, MultinomialNB

        if isinstance(target, TargetSets):
            return each_by_itself(
                target, features.shape[1], context, lambda one, _: self._of_one(features, one, context)
            )
        solver = (ComplementNB if self.kind == "complement" else MultinomialNB)(alpha=self.alpha)
        solver.fit(features, target.codes, sample_weight=target.weights)
        offsets = solver.class_log_prior_ * (self.kind == "multinomial")
        return layer_of(solver.feature_log_prob_, offsets, solver.classes_, target)

    def _of_one(self, features: Any, target: Target, context: Context) -> Layer:
        """Of rows with and without a label: where terms say nothing, what more rows have."""
        weights, offsets = self._count(features, target, context)
        often = np.average(target.codes, weights=target.weights) > 0.5
        return weights, offsets + np.array([0, _TIE if often else -_TIE])
