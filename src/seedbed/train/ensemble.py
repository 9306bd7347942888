"""ensemble: the mean of what several learners' models say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.graph import Graph, graph_of
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.sending import Service
from seedbed.core.task import Task

from .composing.any_learner import AnyLearner, origin_of
from .composing.folds import deal
from .composing.inherited import FromInner, kinds
from .composing.saved import load_inner
from .composing.truth import answers_of, in_order, truth_of, with_labels
from .composing.weighing import weigh
from .example_rows import MESSAGES
from .target import weights_of

ENSEMBLE = "ensemble.json"
#: What has a mean: probabilities and numbers.
_AVERAGED = ("label", "labels", "number")


class EnsembleModel(ArrayModel):
    """The weighted mean of several models' probabilities, or numbers."""

    def __init__(
        self,
        models: Sequence[Model[Any]],
        *,
        uses: Sequence[str],
        weights: Sequence[float],
        labels: tuple[str, ...],
        fitted: bool,
    ) -> None:
        self.models, self.uses, self.weights = tuple(models), tuple(uses), tuple(weights)
        self.labels, self.fitted = labels, fitted

    @property
    def told(self) -> tuple[str, ...]:  # type: ignore[override]
        """How much each model counts, where that was fitted; and what the models tell."""
        shares = ", ".join(f"{use} {weight:.2f}" for use, weight in zip(self.uses, self.weights, strict=True))
        mine = (f"weights, fitted on folds of the training rows: {shares}",) if self.fitted else ()
        return (*mine, *(one for model in self.models for one in model.told))

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """The mean, shape (rows, labels), or (rows, 1) for numbers; models that count nothing are not asked."""
        found = np.zeros((rows.height, max(len(self.labels), 1)))
        for model, weight in zip(self.models, self.weights, strict=True):
            if weight:
                answers = np.asarray(model.predict(rows), dtype=np.float64)
                known = in_order(answers, model.labels, self.labels) if self.labels else answers.reshape(-1, 1)
                found += weight * known
        return found

    def use_store(self, store: Path) -> None:
        """Each of the models."""
        for model in self.models:
            model.use_store(store)

    def graph(self, temperature: float = 1.0) -> Graph:
        """The models as one graph, with the mean at its end.

        Raises:
            ModelError: One of them cannot be said as a graph.
            MissingExtraError: What makes graphs is not installed.
        """
        from .graphs.of_ensembles import mean_graph

        asked = [place for place, weight in enumerate(self.weights) if weight]
        members = [graph_of(self.models[place], f"{self.uses[place]}, inside it,") for place in asked]
        return mean_graph(members, [self.weights[place] for place in asked], self.labels, temperature)

    def save(self, folder: Path) -> None:
        """Write `ensemble.json`, and each model into a folder of its own: `0/`, `1/`, …"""
        told = {"uses": self.uses, "weights": self.weights, "labels": self.labels, "fitted": self.fitted}
        (folder / ENSEMBLE).write_bytes(orjson.dumps(told))
        for place, model in enumerate(self.models):
            (folder / str(place)).mkdir()
            model.save(folder / str(place))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        told = orjson.loads((folder / ENSEMBLE).read_bytes())
        models = [load_inner(use, folder / str(place)) for place, use in enumerate(told["uses"])]
        labels = tuple(told["labels"])
        return cls(models, uses=told["uses"], weights=told["weights"], labels=labels, fitted=told["fitted"])


def _common(learner: Any) -> tuple[str, ...]:
    """Kinds of tasks that all learners inside know, as far as their answers have a mean."""
    return tuple(kind for kind in kinds(*_AVERAGED) if all(kind in one.learns for one in learner.learners))


class Ensemble(Learner):
    """Several learners; the answer is the mean of their probabilities, or of their numbers.

    With `weights: stacked`, each model counts as much as is best for rows that it did not learn from: every learner
    learns on all folds of the training rows but one, and answers to that one; the weights, none below 0 and adding up
    to 1, are those at which the mean's log loss (squared error of numbers) over all these answers is least. Then all
    learn on all training rows. Rows that are alike stay in one fold. (Wolpert 1992, *Stacked Generalization*; Breiman
    1996, *Stacked Regressions*, on why weights should not be negative.)

    ## Why
    Models that err on different rows make up for each other: words and meanings, trees and lines. The mean of two good
    models is often better than a third one that costs more than both, and its probabilities are seldom as wrong as
    those of one that is too sure.

    ## Limits
    It costs what its learners cost, in training and for each answer; with `stacked`, `folds` times more in training.
    Models that make the same mistakes gain nothing together. Only probabilities and numbers have a mean: texts, places
    and turns have none. Where labels are given from 0.5 on, thresholds that a learner chose for itself are averaged
    away in part.
    """

    learns: ClassVar[tuple[str, ...]] = cast(Any, FromInner(lambda: kinds(*_AVERAGED), _common))
    model: ClassVar[type[Model[Any]]] = EnsembleModel
    heeds_weights: ClassVar[bool] = cast(
        Any, FromInner(lambda: True, lambda learner: all(one.heeds_weights for one in learner.learners))
    )

    extra: ClassVar[str] = cast(
        Any, FromInner(str, lambda learner: ",".join(sorted({one.extra for one in learner.learners} - {""})))
    )

    use: Literal["ensemble"] = "ensemble"
    learners: tuple[AnyLearner, ...] = Field(min_length=2, max_length=20, description="They, as under `train`.")
    weights: Literal["equal", "stacked"] = Field(
        "equal", description="How much each model counts: alike, or as is best for rows that it did not learn from."
    )
    folds: int = Field(5, ge=2, le=20, description="Folds of the training rows that weights are fitted on.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="the mean of two",
            options={"learners": [{"use": "naive_bayes", "min_df": 1}, {"use": "tfidf_logistic", "min_df": 1}]},
            before=MESSAGES,
            after={"predicted": MESSAGES["label"]},
        ),
    )

    def for_task(self, roles: dict[str, str]) -> Self:
        """With the options of the learners inside that the task knows."""
        inner = tuple(one.for_task(roles) for one in self.learners)
        return super().for_task(roles).model_copy(update={"learners": inner})

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Those of the learners inside."""
        for place, one in enumerate(self.learners):
            for option, problem, hint in one.faults(task):
                yield f"learners.{place}.{option}", problem, hint

    def services(self) -> tuple[Service, ...]:
        """Whom the learners inside ask."""
        return tuple(service for one in self.learners for service in one.services())

    def made_from(self) -> Any:
        """Code and files of the learners inside."""
        return [origin_of(one) for one in self.learners]

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> EnsembleModel:
        """Weigh the learners, where that is asked for, then learn with each on all training rows.

        Raises:
            DataError: The rows cannot be learned from, or not be dealt to folds.
            ModelError: A learner failed.
        """
        known = with_labels(task, train)
        fitted = self.weights == "stacked"
        weights = self._stacked(train, validation, known, context) if fitted else (1 / len(self.learners),) * self._many
        models = []
        with context.stage("Training the ensemble", self._many, "learners") as stage:
            for learner in self.learners:
                models.append(learner.fit(train, validation, known, context))
                stage.advance(1, learner.use)
        uses = [one.use for one in self.learners]
        return EnsembleModel(models, uses=uses, weights=weights, labels=known.names, fitted=fitted)

    @property
    def _many(self) -> int:
        return len(self.learners)

    def _stacked(
        self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context
    ) -> tuple[float, ...]:
        dealt = deal(train, task, self.folds, context.seed)
        answers = np.zeros((self._many, train.height, max(len(task.names), 1)))
        silent = replace(context, progress=Context().progress)
        with context.stage("Weighing the learners", self._many * self.folds, "fits") as stage:
            for place, learner in enumerate(self.learners):
                for fold in range(self.folds):
                    here = dealt == fold
                    model = learner.fit(train.filter(pl.Series(~here)), validation, task, silent)
                    model.use_store(context.store)
                    answers[place, here] = answers_of(model, task, train.filter(pl.Series(here)))
                    stage.advance(1, f"{learner.use}, fold {fold + 1}")
        return weigh(task.says, truth_of(task, train), answers, weights_of(train))
