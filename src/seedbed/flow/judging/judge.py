"""Trains the recipe's learners, judges them on rows they never saw, and compares each with the one before."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, SeedbedError, told_as
from seedbed.core.learner import Learner, Model
from seedbed.core.metric import Metric, ProbabilityMetric, metric_named
from seedbed.core.part import labels_of
from seedbed.core.rows import ROW, WEIGHT
from seedbed.core.run import Comparison, FoldScores, Mistake, ModelRecord, NestedRecord
from seedbed.core.task import TextClassification as Task
from seedbed.engine.provenance import code_of, versions
from seedbed.evaluate.drawing import affordable
from seedbed.evaluate.holm import with_holm
from seedbed.evaluate.judge import Judgement, decide, judge
from seedbed.evaluate.mistakes import mistakes
from seedbed.evaluate.paired import Answers, compare
from seedbed.evaluate.slices import Grouping, judge_slices
from seedbed.flow.splitting.dataset import Dataset
from seedbed.recipe.sections import Evaluate
from seedbed.store.store import Store
from seedbed.train.bundle import save_bundle
from seedbed.train.calibrated import Calibrated, calibration_of, heated

from .preprocessing import Preprocessing

#: Libraries whose versions may change models, besides those that may change rows.
_LIBRARIES = ("scikit-learn", "scipy")


class _How(TypedDict):
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Rows:
    """The rows of one split as a judge needs them."""

    name: str
    frame: pl.DataFrame
    """`ROW` and the task's columns: what learners and models see."""
    truth: NDArray[np.int64]
    more: pl.DataFrame
    """Other columns that the judge needs."""


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

    @property
    def best_model(self) -> ModelRecord | None:
        """The model that is best on validation rows, or by cross-validation."""
        return next((model for model in self.models if model.name == self.best), None)


@dataclass(frozen=True)
class Told:
    """A model and what it says about rows, calibrated where it could be."""

    model: Model
    seconds: float
    probabilities: dict[str, NDArray[np.float64]]
    """By split."""


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

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The recipe's, the deciding one first."""
        return tuple(metric_named(name) for name in self.evaluate.metrics)

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels; read off the data by now."""
        return self.task.labels or ()

    def rows(self, name: str, frame: pl.DataFrame, more: Collection[str] = ()) -> Rows:
        """A split's rows with their labels as codes; `more` columns are for the judge alone."""
        codes = {label: code for code, label in enumerate(self.labels)}
        truth = frame[self.task.label].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64)
        weight = [WEIGHT] if self.weighted and WEIGHT in frame.columns else []
        seen = frame.select(ROW, self.task.text, self.task.label, *weight)
        return Rows(name, seen, truth.to_numpy(), frame.select(list(more)))

    def load(self, dataset: Dataset, splits: Sequence[str], more: Collection[str] = ()) -> dict[str, Rows]:
        """The task's columns of each split, and more."""
        weight = [WEIGHT] if self.weighted else []
        columns = list(dict.fromkeys([ROW, self.task.text, self.task.label, *weight, *more]))
        return {name: self.rows(name, dataset.read(name, columns), more) for name in splits}

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
        found: dict[str, Judgement] = {}
        slices = {}
        with self.context.stage(f"Judging {name}", len(held_out), "splits") as stage:
            for split in held_out:
                rows, probabilities = splits[split], told.probabilities[split]
                found[split] = self.judge(rows, probabilities)
                slices[split] = judge_slices(
                    rows.truth, probabilities, groupings.get(split, ()), self.metrics[0], **self._how
                )
                self._write_predictions(folder / "predictions" / f"{name}-{split}.parquet", rows, probabilities)
                stage.advance(1, split)
        record = ModelRecord(
            name=name,
            use=learner.use,
            options=learner.model_dump(mode="json", exclude={"use"}),
            scores={split: one.scores for split, one in found.items()},
            classes={split: one.classes for split, one in found.items()},
            confusion={split: one.confusion for split, one in found.items()},
            mistakes=self._mistakes(splits.get("validation"), told),
            curves={split: one.curves for split, one in found.items()},
            reliability={split: one.reliability for split, one in found.items()},
            slices={split: one for split, one in slices.items() if one},
            calibration=told.model.calibration if isinstance(told.model, Calibrated) else None,
            seconds=told.seconds,
            bytes=self._bundle(told.model, learner, before, folder / "models" / name),
        )
        return record, Answers(name, told.probabilities["test"], found["test"].resampled)

    def _mistakes(self, rows: Rows | None, told: Told) -> tuple[Mistake, ...]:
        """The surest on validation rows: test rows are not looked at one by one, for one learns from what one sees."""
        if rows is None:
            return ()
        frame = rows.frame
        return mistakes(frame[ROW], frame[self.task.text], rows.truth, told.probabilities[rows.name], self.labels)

    def ask(self, learner: Learner, splits: dict[str, Rows], about: Collection[str]) -> Told:
        """Train a learner, calibrate its model on validation rows, and have it say what it makes of some splits."""
        model, seconds = self.fit(learner, splits)
        wanted = {*about, "validation"} if self.evaluate.calibrate else set(about)
        raw = {split: self.predict(model, rows.frame) for split, rows in splits.items() if split in wanted}
        calibration = None
        if self.evaluate.calibrate and "validation" in splits:
            calibration = calibration_of(splits["validation"].truth, raw["validation"], "validation")
        if calibration is None:
            return Told(model, seconds, raw)
        calibrated = {split: heated(one, calibration.temperature) for split, one in raw.items()}
        return Told(Calibrated(model, calibration), seconds, calibrated)

    def fit(self, learner: Learner, splits: dict[str, Rows]) -> tuple[Model, float]:
        """Train on training rows; validation rows may be used to choose. What was trained before comes from the store.

        Returns:
            The model, and the seconds that it took to train.
        """
        train = splits["train"].frame
        validation = splits["validation"].frame if "validation" in splits else train.clear()
        place = Store.of(self.context).artefact("models", self._key(learner, train, validation))
        folder = place.folder / "model"
        if place.whole:
            try:
                model, seconds = type(learner).model.load(folder), place.facts()["seconds"]
                model.use_store(self.context.store)
                return model, seconds
            except (KeyError, TypeError, ValueError, OSError):
                place.done.unlink()  # damaged: train again
        start = time.perf_counter()
        with told_as(ModelError, learner.use):
            model = learner.fit(train, validation, self.task, self.context)
        seconds = round(time.perf_counter() - start, 3)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        model.save(folder)
        place.seal({"seconds": seconds})
        model.use_store(self.context.store)
        return model, seconds

    def _key(self, learner: Learner, *given: pl.DataFrame) -> str:
        """Digest of everything that a model is made of."""
        rows = []
        for frame in given:
            told = digest.RowsDigest()
            told.update(frame)
            rows.append(told.hexdigest())
        options, task = [learner.model_dump(mode="json"), learner.made_from()], self.task.model_dump(mode="json")
        return digest.of_json([rows, options, task, self.context.seed, code_of(type(learner)), versions(*_LIBRARIES)])

    def predict(self, model: Model, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Probabilities in the order of the task's labels, whatever labels the model knows."""
        with told_as(ModelError, type(model).__name__):
            known = model.predict(frame)
        probabilities = np.zeros((frame.height, len(self.labels)))
        probabilities[:, [self.labels.index(label) for label in model.labels]] = known
        return probabilities

    @property
    def level(self) -> float:
        """Coverage of intervals."""
        return self.evaluate.intervals.level

    @property
    def _how(self) -> _How:
        intervals = self.evaluate.intervals
        return {"level": intervals.level, "resamples": intervals.resamples, "seed": self.context.seed}

    def judge(self, rows: Rows, probabilities: NDArray[np.float64]) -> Judgement:
        """Scores of a model on a split's rows."""
        return judge(rows.truth, probabilities, self.labels, self.metrics, **self._how)

    def _draws(self, splits: dict[str, Rows]) -> dict[str, int]:
        if not any(isinstance(metric, ProbabilityMetric) for metric in self.metrics):
            return {}
        held_out = {split: rows.truth.size for split, rows in splits.items() if split != "train"}
        asked, labels = self.evaluate.intervals.resamples, len(self.labels)
        return {split: affordable(rows, labels, asked) for split, rows in held_out.items()}

    def _write_predictions(self, path: Path, rows: Rows, probabilities: NDArray[np.float64]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        names = np.asarray(self.labels, dtype=object)
        guess = decide(probabilities)
        pl.DataFrame(
            {
                ROW: rows.frame[ROW],
                "truth": pl.Series(names[rows.truth].tolist(), dtype=pl.String),
                "predicted": pl.Series(names[guess].tolist(), dtype=pl.String),
                "confidence": probabilities[np.arange(len(guess)), guess],
                "probabilities": pl.Series(probabilities.tolist(), dtype=pl.List(pl.Float64)),
            }
        ).write_parquet(path)

    def _bundle(self, model: Model, learner: Learner, before: Preprocessing, folder: Path) -> int:
        """Save a model with its preprocessing and golden examples; the bundle's size in bytes."""
        shown = before.shown_by(self.labels, self.predict(model, before.examples))
        save_bundle(model, folder, learner=learner, task=self.task, preprocess=shown)
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def _best(self, records: Sequence[ModelRecord]) -> str | None:
        """The best by the first metric on validation rows, or over folds where there are any; the first such on ties.

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
        found = (compare(rows.truth, a, b, metric, split=rows.name, **self._how) for metric in self.metrics)
        return tuple(one for one in found if one is not None)


def _remove(name: str, splits: Collection[str], folder: Path) -> None:
    """Take away what a learner left that did not get to its end."""
    shutil.rmtree(folder / "models" / name, ignore_errors=True)
    for split in splits:
        (folder / "predictions" / f"{name}-{split}.parquet").unlink(missing_ok=True)
