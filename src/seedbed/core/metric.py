"""Metrics: a value per model and split, computed from counts so that thousands of resamples cost little."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .part import Part
from .score import Score as Score
from .task import Says

#: What rows say, and what a model answers, in the form that the kind of task has: see `seedbed.evaluate.forms`.
Truth = Any
Answers = Any
#: Weights of rows that are added up at once.
_CELLS = 2_000_000
#: From how often each row counts, shape (resamples, rows), to values, shape (resamples,).
Measure = Callable[[NDArray[Any]], NDArray[np.float64]]


class Metric(Part):
    """A number that says how good answers are; higher is better unless `lower_is_better`.

    A `DecisionMetric` sees which label was decided; a `SumMetric` adds up numbers of each row; others see all rows.
    """

    family: ClassVar[str] = "metrics"
    room: ClassVar[str] = "evaluate"
    says: ClassVar[tuple[Says, ...]] = ("label",)
    """What tasks answer whose answers it measures."""
    lower_is_better: ClassVar[bool] = False
    no_value: ClassVar[str] = ""
    """Where it has no value, in words that go after "where": said where a score is missing."""
    lowest: ClassVar[float] = -math.inf
    """The least that it can be."""

    highest: ClassVar[float] = math.inf
    """The most that it can be."""
    adds_up_chance: ClassVar[bool] = False
    """Whether chance makes it larger, whichever way it goes, as with sums of absolute differences. Resamples then lie
    above the value as the value lies above the truth, so that intervals are reflected.
    """

    @abstractmethod
    def of_rows(self, truth: Truth, answers: Answers, weights: NDArray[Any]) -> NDArray[np.float64]:
        """Values over rows that count a number of times each, as in a resample.

        Args:
            truth: What is right, of each row.
            answers: What the model says of each row.
            weights: How often each row counts, shape (resamples, rows).

        Returns:
            Shape (resamples,); NaN where the metric has no value.
        """

    def over(self, truth: Truth, answers: Answers) -> Measure:
        """What measures the same rows again and again, with other weights."""
        return partial(self.of_rows, truth, answers)

    def unseen(self, truth: Truth, answers: Answers, level: float) -> float | None:
        """The value that it may have as well where nothing went wrong on few rows, so that every resample agrees.

        Args:
            truth: What is right.
            answers: What the model says.
            level: Coverage of the interval.

        Returns:
            The other end of the interval; none where resamples tell it all.
        """
        return None


class DecisionMetric(Metric):
    """A metric of decided labels: counts of truth by prediction tell it all, at a cost that no row adds to."""

    @abstractmethod
    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Values for confusion matrices.

        Args:
            cells: Counts, shape (..., K, K), truth by prediction.

        Returns:
            Shape (...).
        """

    def of_rows(
        self, truth: NDArray[np.int64], answers: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Values of the most probable labels, the first of equals.

        Args:
            truth: True label of each row, from 0, shape (rows,).
            answers: Probability of each label, shape (rows, K).
            weights: How often each row counts, shape (resamples, rows).
        """
        size = answers.shape[1]
        cell = truth * size + answers.argmax(axis=1)
        cells = np.stack([np.bincount(cell, one, size * size) for one in weights])
        return self.of_cells(cells.reshape(-1, size, size))


class ProbabilityMetric(Metric):
    """A metric of probabilities of labels.

    `of_rows` gets the true label of each row, from 0, shape (rows,), and the probability of each label, shape
    (rows, K).
    """


class SumMetric(Metric):
    """A metric of numbers that each row has by itself, and that are added up over rows: resamples cost next to nothing.

    Averages are of this kind, and so are ratios of sums, such as an F1 over all rows or an R².
    """

    @abstractmethod
    def sums(self, truth: Truth, answers: Answers) -> NDArray[np.float64]:
        """What each row adds, shape (rows, sums)."""

    @abstractmethod
    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of what was added up, shape (..., sums) to shape (...); NaN where there is none."""

    def of_rows(self, truth: Truth, answers: Answers, weights: NDArray[Any]) -> NDArray[np.float64]:
        """Values of weighted sums."""
        return self.over(truth, answers)(weights)

    def over(self, truth: Truth, answers: Answers) -> Measure:
        """Each row's numbers are found out once."""
        sums = self.sums(truth, answers)

        def measure(weights: NDArray[Any]) -> NDArray[np.float64]:
            step = max(1, _CELLS // max(1, weights.shape[1]))  # weights are one byte each, and eight where added up
            starts = range(0, max(1, len(weights)), step)
            added = [weights[start : start + step].astype(np.float64) @ sums for start in starts]
            return self.of_sums(np.concatenate(added))

        return measure


def metric_named(name: str) -> Metric:
    """The metric that a recipe calls by its name alone."""
    metric = Metric.catalogue[name](use=name)
    assert isinstance(metric, Metric)
    return metric


def what_measures(says: Says) -> list[str]:
    """Names of the metrics of what a task answers, as they are known by now."""
    return sorted(name for name, part in Metric.catalogue.items() if issubclass(part, Metric) and says in part.says)
