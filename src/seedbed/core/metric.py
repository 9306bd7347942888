"""Metrics: a value per model and split, computed from counts so that thousands of resamples cost little."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from .part import Part


class Score(BaseModel):
    """A metric's value with its interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int = Field(description="Rows that it was measured on.")


class Metric(Part):
    """A number that says how good predictions are; higher is better unless `lower_is_better`.

    A metric is one of two kinds: a `DecisionMetric` sees which label was decided, a `ProbabilityMetric` how sure the
    model was.
    """

    family: ClassVar[str] = "metrics"
    lower_is_better: ClassVar[bool] = False
    lowest: ClassVar[float] = -math.inf
    """The least that it can be."""

    highest: ClassVar[float] = math.inf
    """The most that it can be."""

    @abstractmethod
    def of_rows(
        self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Values over rows that count a number of times each, as in a resample.

        Args:
            truth: True label of each row, from 0, shape (rows,).
            probabilities: Of each label, shape (rows, K).
            weights: How often each row counts, shape (resamples, rows).

        Returns:
            Shape (resamples,); NaN where the metric has no value.
        """


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
        self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Values of the most probable labels, the first of equals."""
        size = probabilities.shape[1]
        cell = truth * size + probabilities.argmax(axis=1)
        cells = np.stack([np.bincount(cell, one, size * size) for one in weights])
        return self.of_cells(cells.reshape(-1, size, size))


class ProbabilityMetric(Metric):
    """A metric of probabilities: it is measured on rows, `of_rows`."""

    adds_up_chance: ClassVar[bool] = False
    """Whether chance makes it larger, whichever way it goes, as with sums of absolute differences. Resamples then lie
    above the value as the value lies above the truth, so that intervals are reflected.
    """

    def unseen(self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], level: float) -> float | None:
        """The value that it may have as well where nothing went wrong on few rows, so that every resample agrees.

        Args:
            truth: True label of each row, from 0, shape (rows,).
            probabilities: Of each label, shape (rows, K).
            level: Coverage of the interval.

        Returns:
            The other end of the interval; none where resamples tell it all.
        """
        return None


def metric_named(name: str) -> Metric:
    """The metric that a recipe calls by its name alone."""
    metric = Metric.catalogue[name](use=name)
    assert isinstance(metric, Metric)
    return metric
