"""tuned: a learner whose options are searched."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

import orjson
import polars as pl
from pydantic import Field, field_validator, model_validator

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.counted import AsCounted, Counted
from seedbed.core.errors import ModelError, RecipeError, did_you_mean
from seedbed.core.graph import Graph, graph_of
from seedbed.core.learner import Learner, Model
from seedbed.core.metric import Metric, metric_named, what_measures
from seedbed.core.numbers import score as written
from seedbed.core.numbers import things
from seedbed.core.part import Column, Example
from seedbed.core.search import Range
from seedbed.core.sending import Service
from seedbed.core.task import Says, Task
from seedbed.core.version import __version__
from seedbed.store.store import Store

from .composing.any_learner import AnyLearner, changed, code_here, origin_of, refused, said_of
from .composing.folds import deal
from .composing.inherited import FromInner, kinds
from .composing.saved import load_inner
from .composing.truth import with_labels
from .example_rows import MESSAGES
from .tuning.crew import crew_of
from .tuning.known import Known
from .tuning.searching import Plan, Trial, best_of, search
from .tuning.spaces import searched
from .tuning.trying import Setting, forget_rows, keep_rows

TUNED = "tuned.json"
#: What is searched for where a recipe names no metric: the one that decides between models there.
USUAL: Mapping[Says, str] = {
    "label": "macro_f1",
    "labels": "micro_f1",
    "number": "rmse",
    "spans": "token_f1",
    "text": "chrf",
    "turns": "chrf",
    "itself": "bits_per_byte",
}
#: Folds where validation rows were to be measured on and there are none.
_FOLDS = 3


class TunedModel(Model[Any]):
    """The model of the best options, and what was tried. It answers as that model does."""

    def __init__(self, model: Model[Any], *, use: str, metric: str, chosen: Trial, trials: tuple[Trial, ...]) -> None:
        self.model, self.use, self.metric, self.chosen, self.trials = model, use, metric, chosen, trials
        self.labels = model.labels

    @property
    def told(self) -> tuple[str, ...]:  # type: ignore[override]
        """What was chosen, of how many, and what it scored."""
        options = ", ".join(f"{name} = {_short(value)}" for name, value in self.chosen.options.items())
        rest = {state: sum(one.state == state for one in self.trials) for state in ("pruned", "failed")}
        ended = "".join(f", {number} {state}" for state, number in rest.items() if number)
        assert self.chosen.score is not None
        measured = f"{self.metric} {written(self.chosen.score)}"
        folds = f" in {things(len(self.chosen.scores), 'inner fold')}" if len(self.chosen.scores) > 1 else ""
        return (
            f"{self.use} with {options}: the best of {things(len(self.trials), 'trial')}{ended}, by {measured}{folds} "
            "(the best of many looks better than it is)",
            *self.model.told,
        )

    def predict(self, rows: pl.DataFrame) -> Any:
        """As the model of the best options."""
        return self.model.predict(rows)

    def use_store(self, store: Path) -> None:
        """As that model does."""
        self.model.use_store(store)

    def graph(self, temperature: float = 1.0) -> Graph:
        """That model's.

        Raises:
            ModelError: It cannot be said as a graph.
            MissingExtraError: What makes graphs is not installed.
        """
        return graph_of(self.model, self.use, temperature)

    def counted(self) -> Counted | None:
        """That model's layer, where it is one on terms."""
        return self.model.counted() if isinstance(self.model, AsCounted) else None

    def save(self, folder: Path) -> None:
        """Write that model's files, and `tuned.json`: what was tried."""
        self.model.save(folder)
        told = {
            "use": self.use,
            "metric": self.metric,
            "chosen": self.chosen.model_dump(mode="json"),
            "trials": [one.model_dump(mode="json") for one in self.trials],
        }
        (folder / TUNED).write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        told = orjson.loads((folder / TUNED).read_bytes())
        trials = tuple(Trial.model_validate(one) for one in told["trials"])
        model = load_inner(told["use"], folder)
        chosen = Trial.model_validate(told["chosen"])
        return cls(model, use=told["use"], metric=told["metric"], chosen=chosen, trials=trials)


class Tuned(Learner):
    """Searches for a learner's best options on training rows, then learns with those.

    Options are proposed by Optuna (tree-structured Parzen estimators, Bergstra et al. 2011), each proposal is tried in
    inner folds of the training rows, and one that is worse than the median of the others after a fold is given up. Rows
    that are alike stay in one fold. The learner's options as the recipe has them are tried first, so that the search
    cannot choose worse ones by its own measure.

    Where to search is said by the options themselves (see the learner's page). What the recipe says under `learner` is
    fixed; `over` narrows, extends or adds: `over: {c: {low: 0.1, high: 10, log: true}, words: [[1, 1], [1, 2]], min_df:
    null}`, where null takes an option out. The model is named after the learner: `gradient_boosting_tuned`.

    ## Why
    Options that are usual are seldom the best ones for these rows, and those that a person tried on the test rows are
    worth nothing. The score of the best trial is too good, as the best of many is. So it is never what is reported:
    test rows are not looked at, and with `evaluate: {folds: 5}` the whole search is made anew in each outer fold, on
    the rows of the others. That is nested cross-validation, and its score is honest. A search that was stopped goes on
    where it was, and one with more `trials` goes on from the shorter one. What it finds hangs on the seed and not on
    how many workers there are: `--workers` processes of this machine, or a Ray cluster.

    ## Limits
    It takes `trials` times `folds` fits, and one more. With `minutes`, what is found depends on how fast the machine
    is. With `folds: null`, options are chosen by the validation rows, by which the model is also calibrated and
    compared, so that its validation scores are too good (those on test rows are not), and nothing can be given up
    early. Above 100,000 training rows, only rows with equal texts stay in one fold. A row that `prepare` made may be in
    another fold than the row that it was made from, where the two are not similar. On one machine,
    a learner that would use its GPU is tried one trial after the other; one that asks a service is anywhere, so that
    its caps hold for all trials together.
    """

    learns: ClassVar[tuple[str, ...]] = cast(Any, FromInner(kinds, lambda learner: learner.learner.learns))
    model: ClassVar[type[Model[Any]]] = TunedModel
    heeds_weights: ClassVar[bool] = cast(Any, FromInner(lambda: True, lambda learner: learner.learner.heeds_weights))
    # Whoever has a model needs what the learner inside needs: only the search needs Optuna.
    extra: ClassVar[str] = cast(Any, FromInner(lambda: "tune", lambda learner: learner.learner.extra))
    needs: ClassVar[tuple[str, ...]] = ("optuna",)

    use: Literal["tuned"] = "tuned"
    learner: AnyLearner = Field(description="The learner, as under `train`; what it says of an option is not searched.")
    trials: int = Field(30, ge=1, le=10_000, description="Options to try; fewer where there are no more.")
    folds: int | None = Field(
        3, ge=2, le=20, description="Inner folds that each is tried in; null for the validation rows instead."
    )
    over: dict[str, Range | list[Any] | None] = Field(
        {},
        description="Where to search, by option: `{low, high, log}`, or a list of values; null to leave it as it is. "
        "Options that are not named are searched where they say themselves.",
    )
    metric: str | None = Field(
        None, description="What is searched for; the metric that usually decides for the task when left out."
    )
    minutes: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Time after which no more are tried; at least one is."
    )
    at_once: int = Field(
        4,
        ge=1,
        le=256,
        description="Trials that are proposed together and can be computed side by side; what is found depends on it.",
    )
    group: Column | None = Field(
        None, description="Column of the rows whose equal values stay in one inner fold, besides similar rows."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="how strongly to smooth",
            options={
                "learner": {"use": "naive_bayes", "min_df": 1},
                "over": {"alpha": [0.1, 1.0], "words": None},
                "folds": 5,
            },
            before=MESSAGES,
            after={"predicted": MESSAGES["label"]},
        ),
    )

    @property
    def called(self) -> str:
        """With the learner's name: who reads that a model is `tuned` asks what of it was."""
        return f"{self.learner.called}_{self.use}"

    @field_validator("learner")
    @classmethod
    def _not_itself(cls, learner: Learner) -> Learner:
        if isinstance(learner, cls):
            raise refused(("use",), "a search inside a search finds nothing more", "name the learner itself")
        return learner

    @field_validator("metric")
    @classmethod
    def _is_known(cls, metric: str | None) -> str | None:
        if metric is not None and Metric.named(metric) is None:
            raise refused((), f"there is no metric {metric[:40]!r}", did_you_mean(metric, Metric.catalogue))
        return metric

    @model_validator(mode="after")
    def _can_be_searched(self) -> Self:
        searched(self.learner, self.over)
        return self

    def for_task(self, roles: dict[str, str]) -> Self:
        """With the options of the inner learner that the task knows."""
        return super().for_task(roles).model_copy(update={"learner": self.learner.for_task(roles)})

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Those of the inner learner, options of it that are searched for nothing, a metric of other tasks."""
        if self.metric is not None and self.metric not in (fit := what_measures(task.says)):
            yield "metric", f"{self.metric!r} does not measure {task.kind}", did_you_mean(self.metric, fit)
        for option, problem, hint in self.learner.faults(task):
            yield f"learner.{option}", problem, hint
        for name in self.learner.unheeded(task):
            if self.over.get(name) is not None:
                yield f"over.{name}", f"means nothing for {task.kind}", "leave it out"

    def services(self) -> tuple[Service, ...]:
        """Whom the inner learner asks."""
        return self.learner.services()

    def made_from(self) -> Any:
        """The inner learner's code and files, and the versions that choose."""
        return [origin_of(self.learner), version("optuna")]

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TunedModel:
        """Search on training rows, then learn from all of them; `validation` goes to the inner learner, as it is.

        Raises:
            DataError: The rows cannot be dealt to folds.
            ModelError: No options could be learned with.
            RecipeError: The metric does not measure this task.
        """
        self.check_needs()
        metric = self._metric(task)
        known_task = with_labels(task, train)
        folds = self.folds
        if folds is None and not validation.height:
            folds = _FOLDS
            context.progress.say(f"{self.use}: there are no validation rows; options are chosen in {folds} inner folds")
        dealt = None if folds is None else deal(train, known_task, folds, context.seed, self.group)
        silent = replace(context, progress=Context().progress, workers=1)
        place = Store.of(context).artefact("searches", self._key(train, validation, dealt, known_task, metric, context))
        with Store.of(context).workspace("tuned") as rows, Known.at(place.folder) as known:
            keep_rows(train, validation, dealt, rows)
            plan = Plan(
                setting=Setting(self.learner, known_task, metric, silent, rows),
                spaces=searched(self.learner, self.over),
                folds=folds or 1,
                trials=self.trials,
                at_once=self.at_once,
                seconds=None if self.minutes is None else 60 * self.minutes,
            )
            with context.stage(f"Tuning {self.learner.use}", self.trials, "trials") as stage:
                trials = search(plan, known, crew_of(self.learner, context), stage)
        forget_rows()
        chosen = best_of(trials, lower_is_better=metric.lower_is_better)
        if chosen is None:
            raise _nothing_learned(self.learner.use, trials)
        model = changed(self.learner, chosen.options).fit(train, validation, task, context)
        return TunedModel(model, use=self.learner.use, metric=metric.use, chosen=chosen, trials=tuple(trials))

    def _metric(self, task: Task) -> Metric:
        name = self.metric or USUAL[task.says]
        if Metric.named(name) is None:
            raise RecipeError(f"there is no metric {name!r}", at="metric")
        metric = metric_named(name)
        if task.says not in metric.says:
            parts = Metric.catalogue.items()
            fit = [one for one, part in parts if issubclass(part, Metric) and task.says in part.says]
            raise RecipeError(f"{name!r} does not measure {task.kind}", at="metric", hint=did_you_mean(name, fit))
        return metric

    def _key(
        self, train: pl.DataFrame, validation: pl.DataFrame, dealt: Any, task: Task, metric: Metric, context: Context
    ) -> str:
        """Digest of what the score of options on a fold is made of: neither how many are tried nor where."""
        rows = []
        for frame in (train, validation):
            told = digest.RowsDigest()
            told.update(frame)
            rows.append(told.hexdigest())
        code = [code_here(), digest.of_file(Path(inspect.getfile(type(metric)))), version("scikit-learn"), __version__]
        said = [said_of(self.learner), origin_of(self.learner), metric.use, task.model_dump(mode="json")]
        return digest.of_json([rows, None if dealt is None else dealt.tolist(), said, context.seed, code])


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else orjson.dumps(value).decode().strip('"')


def _nothing_learned(use: str, trials: list[Trial]) -> ModelError:
    failed = [one for one in trials if one.error]
    error = failed[0].error if failed else "nothing was tried"
    return ModelError(
        f"none of {things(len(trials), 'trial')} of {use} could be learned with; the first failed so: {error}",
        at="tuned",
        hint="try other options under `over`, or train the learner as it is to see more",
    )
