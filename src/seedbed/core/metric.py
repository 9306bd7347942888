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
    """A number that says how good predictions are; higher is better unless `lower_is_better`."""

    family: ClassVar[str] = "metrics"
    lower_is_better: ClassVar[bool] = False
    highest: ClassVar[float] = math.inf
    """The most that it can be."""

    @abstractmethod
    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Values for confusion matrices.

        Args:
            cells: Counts, shape (..., K, K), truth by prediction.

        Returns:
            Shape (...).
        """


def metric_named(name: str) -> Metric:
    """The metric that a recipe calls by its name alone."""
    metric = Metric.catalogue[name](use=name)
    assert isinstance(metric, Metric)
    return metric
