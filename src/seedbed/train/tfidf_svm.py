"""tfidf_svm: TF-IDF of words and characters, then a linear support vector machine."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task

from .example_rows import MESSAGES, TOPICS
from .linear import Layer, LinearModel, each_by_itself, layer_of, link_of
from .logistic import ClassWeight, Trust, settling
from .target import Target, texts_of
from .target_sets import LABELS_OF_TEXTS, TargetSets, TextTask, coded
from .terms import TermOptions

#: As for `tfidf_logistic`: so small that the order of the rows hardly moves a margin.
TOLERANCE = 1e-5


class TfidfSvm(TermOptions, Learner):
    """A linear support vector machine on TF-IDF of words and of characters within words.

    ## Why
    It looks at the rows near the border between labels only, and is often as good as logistic regression or a little
    better where labels are clean and texts are long. Each label is learned against all others (LIBLINEAR, squared
    hinge loss, Fan et al., 2008); the primal is solved, which draws no random numbers.

    ## Limits
    It measures margins, not probabilities. What it gives as probabilities is the softmax of the margins, or, where rows
    have any number of labels, the logistic function of each: the same decision, but a confidence that means little
    until it is calibrated (`evaluate: calibrate`). A probability of a rare label is least to be trusted. Words are runs
    of two or more letters or digits in lower case.
    """

    learns: ClassVar[tuple[str, ...]] = LABELS_OF_TEXTS
    model: ClassVar[type[Model[Any]]] = LinearModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["tfidf_svm"] = "tfidf_svm"
    c: Trust = 0.2
    class_weight: ClassWeight = "none"
    max_iter: int = Field(1000, ge=1, description="Most steps of the solver.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Six messages",
            options={"min_df": 1, "c": 10},
            before=MESSAGES,
            after={"predicted": MESSAGES["label"]},
        ),
        Example(
            title="Any number of labels",
            options={"min_df": 1, "c": 10},
            before=TOPICS,
            after={"predicted": TOPICS["label"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> LinearModel:
        """Learn terms, then margins. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one label (or set of labels) only, or no term that enough rows have.
        """
        assert isinstance(task, TextTask)
        target = coded(train, task)
        terms, features = self.learn_terms(texts_of(train, task.text), column=task.text)
        weights, intercepts = self._solve(features, target, context, self.use)
        return LinearModel(
            labels=target.labels,
            text=task.text,
            terms=terms,
            weights=weights,
            intercepts=intercepts,
            link=link_of(target),
        )

    def _solve(self, features: Any, target: Target | TargetSets, context: Context, name: str) -> Layer:
        from sklearn.svm import LinearSVC

        if isinstance(target, TargetSets):
            return each_by_itself(
                target,
                features.shape[1],
                context,
                lambda one, label: self._solve(features, one, context, f"{name}, {label!r},"),
            )
        solver = LinearSVC(
            C=self.c,
            dual=False,
            class_weight=None if self.class_weight == "none" else self.class_weight,
            max_iter=self.max_iter,
            tol=TOLERANCE,
        )
        with settling() as told:
            solver.fit(features, target.codes, sample_weight=target.weights)
        if told:
            context.progress.say(f"{name} did not settle; a larger max_iter or a smaller c may help")
        return layer_of(solver.coef_, solver.intercept_, solver.classes_, target)
