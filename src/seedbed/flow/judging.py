"""Trains the recipe's learners, judges them on rows they never saw, and compares each with the one before."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import ModelError, told_as
from seedbed.core.learner import Learner, Model
from seedbed.core.metric import Metric
from seedbed.core.part import labels_of
from seedbed.core.rows import ROW, as_json
from seedbed.core.run import Comparison, GateRecord, Mistake, ModelRecord
from seedbed.core.task import Task
from seedbed.engine.provenance import code_of, versions
from seedbed.evaluate.judge import Judgement, decide, judge, mistakes
from seedbed.evaluate.paired import compare
from seedbed.recipe.sections import Gate, Intervals
from seedbed.store.store import Store
from seedbed.train.bundle import save_bundle

from .dataset import Dataset
from .preprocessing import Preprocessing

#: Libraries whose versions may change models, besides those that may change rows.
_LIBRARIES = ("scikit-learn", "scipy")


@dataclass(frozen=True)
class Rows:
    """The rows of one split as a judge needs them."""

    name: str
    frame: pl.DataFrame
    truth: NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """Models and how they did."""

    models: tuple[ModelRecord, ...]
    comparisons: tuple[Comparison, ...]
    best: str | None


@dataclass(frozen=True)
class Judging:
    """What every model is judged by."""

    task: Task
    metrics: Sequence[Metric]
    intervals: Intervals
    context: Context

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels; read off the data by now."""
        return self.task.labels or ()

    def rows(self, name: str, frame: pl.DataFrame) -> Rows:
        """A split's rows with their labels as codes."""
        codes = {label: code for code, label in enumerate(self.labels)}
        truth = frame[self.task.label].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64)
        return Rows(name, frame, truth.to_numpy())

    def load(self, dataset: Dataset, splits: Sequence[str]) -> dict[str, Rows]:
        """The task's columns of each split."""
        columns = [ROW, self.task.text, self.task.label]
        return {name: self.rows(name, dataset.read(name, columns)) for name in splits}

    def run(self, learners: Sequence[Learner], splits: dict[str, Rows], before: Preprocessing, folder: Path) -> Judged:
        """Train, judge and compare; writes `models/NAME/` and `predictions/NAME-SPLIT.parquet` into the folder."""
        records: list[ModelRecord] = []
        guesses: list[NDArray[np.int64]] = []
        for name, learner in zip(labels_of(list(learners)), learners, strict=True):
            record, test_guess = self._one(name, learner, splits, before, folder)
            records.append(record)
            guesses.append(test_guess)
        best = self._best(records)
        return Judged(tuple(records), tuple(self._compare(records, guesses, splits["test"])), best)

    def _one(
        self, name: str, learner: Learner, splits: dict[str, Rows], before: Preprocessing, folder: Path
    ) -> tuple[ModelRecord, NDArray[np.int64]]:
        with self.context.stage(f"Training {name}", None):
            model, seconds = self.fit(learner, splits)
        found: dict[str, Judgement] = {}
        wrong: tuple[Mistake, ...] = ()
        test_guess = np.zeros(0, np.int64)
        for split, rows in splits.items():
            if split == "train":
                continue
            probabilities = self.predict(model, rows.frame)
            found[split] = self.judge(rows, probabilities)
            self._write_predictions(folder / "predictions" / f"{name}-{split}.parquet", rows, probabilities)
            if split == "validation":
                wrong = mistakes(rows.frame[ROW], rows.frame[self.task.text], rows.truth, probabilities, self.labels)
            if split == "test":
                test_guess = decide(probabilities)
        record = ModelRecord(
            name=name,
            use=learner.use,
            options=learner.model_dump(mode="json", exclude={"use"}),
            scores={split: one.scores for split, one in found.items()},
            classes={split: one.classes for split, one in found.items()},
            confusion={split: one.confusion for split, one in found.items()},
            mistakes=wrong,
            seconds=seconds,
            bytes=self._bundle(model, learner, before, folder / "models" / name),
        )
        return record, test_guess

    def fit(self, learner: Learner, splits: dict[str, Rows]) -> tuple[Model, float]:
        """Train on training rows; validation rows may be used to choose. What was trained before comes from the store.

        Returns:
            The model, and the seconds that it took to train.
        """
        train = splits["train"].frame
        validation = splits["validation"].frame if "validation" in splits else train.clear()
        place = Store(self.context.store).artefact("models", self._key(learner, train, validation))
        folder = place.folder / "model"
        if place.whole:
            try:
                return type(learner).model.load(folder), place.facts()["seconds"]
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
        return model, seconds

    def _key(self, learner: Learner, *given: pl.DataFrame) -> str:
        """Digest of everything that a model is made of."""
        rows = []
        for frame in given:
            told = digest.RowsDigest()
            told.update(frame)
            rows.append(told.hexdigest())
        options, task = learner.model_dump(mode="json"), self.task.model_dump(mode="json")
        return digest.of_json([rows, options, task, self.context.seed, code_of(type(learner)), versions(*_LIBRARIES)])

    def predict(self, model: Model, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Probabilities in the order of the task's labels, whatever labels the model knows."""
        with told_as(ModelError, type(model).__name__):
            known = model.predict(frame)
        probabilities = np.zeros((frame.height, len(self.labels)))
        probabilities[:, [self.labels.index(label) for label in model.labels]] = known
        return probabilities

    def judge(self, rows: Rows, probabilities: NDArray[np.float64]) -> Judgement:
        """Scores of a model on a split's rows."""
        how, seed = self.intervals, self.context.seed
        return judge(
            rows.truth, probabilities, self.labels, self.metrics, level=how.level, resamples=how.resamples, seed=seed
        )

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
        read = before.golden.with_columns(pl.col("after").alias(self.task.text))
        probabilities = self.predict(model, read)
        golden: list[dict[str, Any]] = [
            {"input": raw, "text": text, "probabilities": dict(zip(self.labels, map(float, row), strict=True))}
            for raw, text, row in zip(
                map(orjson.loads, as_json(before.golden.drop(ROW, "after"))),
                before.golden["after"],
                probabilities,
                strict=True,
            )
        ]
        steps = [step.model_dump(mode="json") for step in before.steps]
        save_bundle(model, folder, learner=learner, task=self.task, preprocess=steps, golden=golden)
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def _best(self, records: Sequence[ModelRecord]) -> str | None:
        """The model that is best on validation rows by the first metric; the first such on ties."""
        metric = self.metrics[0]
        sign = -1 if metric.lower_is_better else 1
        scored = [r for r in records if "validation" in r.scores]
        if not scored:
            return records[-1].name if records else None
        return max(scored, key=lambda record: sign * record.scores["validation"][metric.use].value).name

    def _compare(
        self, records: Sequence[ModelRecord], guesses: Sequence[NDArray[np.int64]], test: Rows
    ) -> list[Comparison]:
        """Each model with the one before it, and with the first where that is another one."""
        pairs = [(place - 1, place) for place in range(1, len(records))] + [
            (0, place) for place in range(2, len(records))
        ]
        return [
            compare(
                test.truth,
                {records[a].name: guesses[a], records[b].name: guesses[b]},
                len(self.labels),
                metric,
                split=test.name,
                level=self.intervals.level,
                resamples=self.intervals.resamples,
                seed=self.context.seed,
            )
            for a, b in pairs
            for metric in self.metrics
        ]


def pass_gates(gates: Sequence[Gate], judged: Judged) -> list[GateRecord]:
    """Hold the models against the gates; of the best model on validation rows unless a gate names one."""
    records = {record.name: record for record in judged.models}
    passed = []
    for gate in gates:
        name = gate.model or judged.best
        score = records[name].scores.get(gate.split, {}).get(gate.metric) if name in records else None
        direction, limit = ("at_least", gate.at_least) if gate.at_least is not None else ("at_most", gate.at_most)
        assert limit is not None
        good = score is not None and (score.value >= limit if direction == "at_least" else score.value <= limit)
        passed.append(
            GateRecord(
                metric=gate.metric, split=gate.split, model=name, passed=good, limit=limit, direction=direction,
                value=score.value if score else None, low=score.low if score else None,
                high=score.high if score else None, waived=gate.waive,
            )
        )  # fmt: skip
    return passed
