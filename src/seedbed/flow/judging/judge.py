"""Trains the recipe's learners, judges them on rows they never saw, and compares each with the one before."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypedDict

import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, SeedbedError, told_as
from seedbed.core.learner import Learner, Model
from seedbed.core.metric import Metric, Score, metric_named
from seedbed.core.part import labels_of
from seedbed.core.rows import GROUP, NUMBER, PARENTS, ROW, WEIGHT
from seedbed.core.run import Comparison, FoldScores, Mistake, ModelRecord, NestedRecord
from seedbed.core.task import Task, rows_said
from seedbed.evaluate.drawing import affordable
from seedbed.evaluate.forms import Form, OneLabel, form_of
from seedbed.evaluate.groups import Groups, how_many
from seedbed.evaluate.holm import with_holm
from seedbed.evaluate.intervals import by_cells
from seedbed.evaluate.judge import Judgement, judge
from seedbed.evaluate.mistakes import mistakes
from seedbed.evaluate.paired import Answers, compare
from seedbed.evaluate.slices import Grouping, judge_slices
from seedbed.flow.splitting.dataset import Dataset
from seedbed.recipe.sections import Evaluate
from seedbed.train.bundle import Origin
from seedbed.train.calibrated import Calibrated, calibration_of, heated

from .beside import beside
from .bundling import Seen, bundle_up
from .preprocessing import Preprocessing
from .trained import trained


class _How(TypedDict):
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Rows:
    """The rows of one split as a judge needs them."""

    name: str
    frame: pl.DataFrame
    """`ROW` and the columns that learners see: what models read, and the answer."""
    truth: Any
    """What is right, as the form of the task's answers holds it."""
    more: pl.DataFrame
    """Other columns that the judge needs."""
    groups: Groups = None
    """The group of each row, where rows are no independent draws."""


@dataclass(frozen=True)
class Judged:
    """Models and how they did."""

    models: tuple[ModelRecord, ...]
    comparisons: tuple[Comparison, ...]
    best: str | None
    draws: dict[str, int]
    """By split: resamples that the intervals of metrics of probabilities come from."""
    failed: Mapping[str, SeedbedError] = field(default_factory=dict)
    """Learners that have no model, and what went wrong."""
    nested: NestedRecord | None = None
    """What the choice is worth, where folds are nested."""
    groups: Mapping[str, int] = field(default_factory=dict)
    """By held-out split whose rows are no independent draws: groups of them."""

    @property
    def best_model(self) -> ModelRecord | None:
        """The model that is best on validation rows, or by cross-validation."""
        return next((model for model in self.models if model.name == self.best), None)


@dataclass(frozen=True)
class Told:
    """A model and what it says about rows, calibrated where it could be."""

    model: Model[Any]
    seconds: float
    answers: dict[str, Any]
    """By split, as the form of the task's answers holds them."""


class Folds(Protocol):
    """A cross-validation."""

    def judge(self, name: str, learner: Learner, judging: Judging) -> dict[str, FoldScores]:
        """Scores of a learner by metric."""


@dataclass(frozen=True)
class Judging:
    """What every model is judged by."""

    task: Task
    evaluate: Evaluate
    context: Context
    weighted: bool = False
    """Whether training rows say in `WEIGHT` how much they count."""
    dataset: str = ""
    """Name of the dataset, and its digest."""
    digest: str = ""
    also: tuple[str, ...] = ()
    """Columns that learners name in their options."""

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The recipe's, the deciding one first."""
        return tuple(metric_named(name) for name in self.evaluate.metrics)

    @cached_property
    def form(self) -> Form:
        """How answers are held."""
        return form_of(self.task)

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels, if it has any; read off the data by now."""
        return self.task.names

    def seen(self, columns: Collection[str]) -> list[str]:
        """The columns that learners see, of those that rows have."""
        own = [name for name in columns if name not in (ROW, NUMBER, WEIGHT, PARENTS)]
        weight = [WEIGHT] if self.weighted and WEIGHT in columns else []
        named = [name for name in self.also if name in own]
        return list(dict.fromkeys([ROW, *self.task.seen(own), *named, *weight]))

    def rows(self, name: str, frame: pl.DataFrame, more: Collection[str] = ()) -> Rows:
        """A split's rows with what is right of each; `more` columns are for the judge alone."""
        return Rows(name, frame.select(self.seen(frame.columns)), self.form.truth(frame), frame.select(list(more)))

    def load(self, dataset: Dataset, splits: Sequence[str], more: Collection[str] = ()) -> dict[str, Rows]:
        """The task's columns of each split, and more."""
        found = {}
        for name in splits:
            there = dataset.scan(name).collect_schema().names()
            seen = self.seen(there)
            frame = dataset.read(name, list(dict.fromkeys([*seen, *more])))
            found[name] = replace(self.rows(name, frame.select(seen)), more=frame.select(list(more)))
        return found

    def run(
        self,
        learners: Sequence[Learner],
        splits: dict[str, Rows],
        before: Preprocessing,
        folder: Path,
        *,
        groupings: Mapping[str, Sequence[Grouping]],
        folds: Folds | None,
    ) -> Judged:
        """Train, judge and compare; writes `models/NAME/` and `predictions/NAME-SPLIT.parquet` into the folder.

        A learner that fails leaves nothing there, and the others go on.

        Args:
            learners: The recipe's.
            splits: Rows by split.
            before: What rows pass before models read them.
            folder: The run's.
            groupings: By split, what rows are told apart by in slices.
            folds: Of the cross-validation, if there is one.
        """
        records: list[ModelRecord] = []
        answers: list[Answers] = []
        failed: dict[str, SeedbedError] = {}
        for name, learner in zip(labels_of(list(learners)), learners, strict=True):
            try:
                record, answer = self._one(name, learner, splits, before, folder, groupings)
                if folds is not None:
                    record = record.model_copy(update={"folds": folds.judge(name, learner, self)})
            except (DataError, ModelError) as error:
                _remove(name, splits, folder)
                failed[name] = error
                continue
            records.append(record)
            answers.append(answer)
        with self.context.stage("Comparing the models", None):
            comparisons = self._compare(answers, splits["test"])
        return Judged(tuple(records), comparisons, self._best(records), self._draws(splits), failed)

    def _one(
        self,
        name: str,
        learner: Learner,
        splits: dict[str, Rows],
        before: Preprocessing,
        folder: Path,
        groupings: Mapping[str, Sequence[Grouping]],
    ) -> tuple[ModelRecord, Answers]:
        held_out = [split for split in splits if split != "train"]
        with self.context.stage(f"Training {name}", None):
            told = self.ask(learner, splits, held_out)
        if "test" in held_out:
            self.context.read_test(name, "judging", splits["test"].frame.height)
        found: dict[str, Judgement] = {}
        slices = {}
        with self.context.stage(f"Judging {name}", len(held_out), "splits") as stage:
            for split in held_out:
                rows, answers = splits[split], told.answers[split]
                found[split] = self.judge(rows, answers)
                slices[split] = judge_slices(
                    rows.truth,
                    answers,
                    groupings.get(split, ()),
                    self.metrics[0],
                    strata=self.form.strata(rows.truth),
                    others=self.form.beside_in_slices(self.metrics),
                    groups=rows.groups,
                    **self._how,
                )
                self._write_predictions(folder / "predictions" / f"{name}-{split}.parquet", rows, answers)
                stage.advance(1, split)
        scores = {split: one.scores for split, one in found.items()}
        record = ModelRecord(
            name=name,
            use=learner.use,
            options=learner.model_dump(mode="json", exclude={"use"}),
            scores=scores,
            classes={split: one.details.classes for split, one in found.items() if one.details.classes},
            confusion={split: one.details.confusion for split, one in found.items() if one.details.confusion},
            mistakes=self._mistakes(splits.get("validation"), told),
            curves={split: one.details.curves for split, one in found.items() if one.details.curves.roc},
            reliability={split: one.details.reliability for split, one in found.items() if one.details.reliability},
            slices={split: one for split, one in slices.items() if one},
            calibration=told.model.calibration if isinstance(told.model, Calibrated) else None,
            distances={split: one.details.distances for split, one in found.items() if one.details.distances},
            told=told.model.told,
            seconds=told.seconds,
            bytes=self._bundle(told, learner, before, splits, scores, folder / "models" / name),
        )
        return record, self.answers_of(name, splits["test"], told, found["test"])

    def answers_of(self, name: str, rows: Rows, told: Told, judged: Judgement) -> Answers:
        """A model's answers to some rows, ready to be compared with another's."""
        answers = told.answers[rows.name]
        return Answers(name, answers, judged.resampled, self.form.right(rows.truth, answers))

    def _mistakes(self, rows: Rows | None, told: Told) -> tuple[Mistake, ...]:
        """The surest on validation rows: test rows are not looked at one by one, for one learns from what one sees."""
        if rows is None:
            return ()
        asked = self.task.as_asked(rows.frame)
        texts = rows_said(self.task, asked)
        return mistakes(self.form, rows.frame[ROW], texts, rows.truth, told.answers[rows.name])

    def ask(self, learner: Learner, splits: dict[str, Rows], about: Collection[str]) -> Told:
        """Train a learner, calibrate its model on validation rows, and have it say what it makes of some splits."""
        model, seconds = self.fit(learner, splits)
        calibrates = self.evaluate.calibrate and isinstance(self.form, OneLabel)
        wanted = {*about, "validation"} if calibrates else set(about)
        raw = {split: self.predict(model, rows.frame) for split, rows in splits.items() if split in wanted}
        calibration = None
        if calibrates and "validation" in splits:
            calibration = calibration_of(splits["validation"].truth, raw["validation"], "validation")
        if calibration is None:
            return Told(model, seconds, raw)
        calibrated = {split: heated(one, calibration.temperature) for split, one in raw.items()}
        return Told(Calibrated(model, calibration), seconds, calibrated)

    def fit(self, learner: Learner, splits: dict[str, Rows]) -> tuple[Model[Any], float]:
        """Train on training rows; validation rows may be used to choose. What was trained before comes from the store.

        Returns:
            The model, and the seconds that it took to train.
        """
        train = splits["train"].frame
        validation = splits["validation"].frame if "validation" in splits else train.clear()
        return trained(learner, train, validation, self.task, self.context)

    def predict(self, model: Model[Any], frame: pl.DataFrame) -> Any:
        """What a model answers, as the form holds it; it does not get what is right."""
        asked = self.task.as_asked(frame).drop(WEIGHT, strict=False)
        with told_as(ModelError, type(model).__name__):
            answers = model.predict(asked)
        return self.form.checked(answers, frame.height, model.labels)

    @property
    def level(self) -> float:
        """Coverage of intervals."""
        return self.evaluate.intervals.level

    @property
    def _how(self) -> _How:
        intervals = self.evaluate.intervals
        return {"level": intervals.level, "resamples": intervals.resamples, "seed": self.context.seed}

    def judge(self, rows: Rows, answers: Any) -> Judgement:
        """Scores of a model on a split's rows."""
        return judge(self.form, rows.truth, answers, self.metrics, groups=rows.groups, **self._how)

    def _draws(self, splits: dict[str, Rows]) -> dict[str, int]:
        held_out = {name: rows for name, rows in splits.items() if name != "train"}
        if all(by_cells(metric, rows.truth) for metric in self.metrics for rows in held_out.values()):
            return {}
        asked, wide = self.evaluate.intervals.resamples, max(1, len(self.labels))
        return {name: affordable(rows.frame.height, wide, asked) for name, rows in held_out.items()}

    def _write_predictions(self, path: Path, rows: Rows, answers: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        own = [] if rows.groups is None else [pl.Series(GROUP, rows.groups)]
        rows.frame.select(ROW, *own).hstack(self.form.written(rows.truth, answers)).write_parquet(path)

    def _bundle(
        self,
        told: Told,
        learner: Learner,
        before: Preprocessing,
        splits: dict[str, Rows],
        scores: dict[str, dict[str, Score]],
        folder: Path,
    ) -> int:
        """Save a model with its preprocessing, golden examples and papers; the bundle's size in bytes."""
        seen = next((name for name in ("validation", "test") if name in told.answers), None)
        kept = None
        if seen == "validation":
            kept = beside(self.evaluate, self.form, splits[seen].truth, told.answers[seen], seen, self.context.seed)
        watched = seen and Seen(
            form=self.form,
            rows=splits[seen].frame,
            answers=told.answers[seen],
            left_out=before.left_out,
            train=splits["train"].frame,
            groups=how_many(splits[seen].groups),
        )
        return bundle_up(
            told.model,
            learner,
            self.task,
            before.shown_by(self.form.said(self.predict(told.model, before.examples))),
            folder,
            origin=Origin(dataset=self.dataset, digest=self.digest, scores=scores),
            seen=watched or None,
            beside=kept,
        )

    def _best(self, records: Sequence[ModelRecord]) -> str | None:
        """The best by the deciding metric on validation rows, or over folds where there are any; of equals the first.

        The last model where none could be scored.
        """
        metric = self.metrics[0]
        sign = -1 if metric.lower_is_better else 1
        found = {}
        for record in records:
            if metric.use in record.folds:
                found[record.name] = sign * record.folds[metric.use].mean
            elif not self.evaluate.folds and metric.use in record.scores.get("validation", {}):
                found[record.name] = sign * record.scores["validation"][metric.use].value
        if not found:
            return records[-1].name if records else None
        return max(found, key=found.__getitem__)

    def _compare(self, answers: Sequence[Answers], test: Rows) -> tuple[Comparison, ...]:
        """Each model with the one before it, and with the first where that is another one; with Holm's correction."""
        pairs = [(place - 1, place) for place in range(1, len(answers))] + [
            (0, place) for place in range(2, len(answers))
        ]
        found = [one for a, b in pairs for one in self.compare(test, answers[a], answers[b])]
        return with_holm(found, self.metrics, self.evaluate.intervals.level)

    def compare(self, rows: Rows, a: Answers, b: Answers) -> tuple[Comparison, ...]:
        """A model, b, with another, a, on the same rows, by every metric that has a value there."""
        given: dict[str, Any] = {"split": rows.name, "groups": rows.groups, **self._how}
        each = [compare(rows.truth, a, b, metric, **given) for metric in self.metrics]
        return tuple(one for one in each if one is not None)


def _remove(name: str, splits: Collection[str], folder: Path) -> None:
    """Take away what a learner left that did not get to its end."""
    shutil.rmtree(folder / "models" / name, ignore_errors=True)
    for split in splits:
        (folder / "predictions" / f"{name}-{split}.parquet").unlink(missing_ok=True)
