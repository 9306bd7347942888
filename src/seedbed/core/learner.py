"""Learners make models from training rows; a model predicts, and is saved as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .context import Context
from .part import Part
from .task import TextClassification as Task


class Model(ABC):
    """What was learned. It knows its labels and needs no learner to predict."""

    labels: tuple[str, ...]

    @abstractmethod
    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), in the order of `labels`."""

    def use_store(self, store: Path) -> None:  # noqa: B027 (most have nothing to keep)
        """Where the model may keep what it would else compute again and again (embeddings by text); most need none."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as data that is read without running code (no pickle)."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""


class Learner(Part):
    """Learns a model from training rows."""

    family: ClassVar[str] = "learners"
    model: ClassVar[type[Model]]
    """What `fit` returns, and what a saved bundle of this learner is read with."""
    heeds_weights: ClassVar[bool] = False
    """Whether it heeds how much each training row counts, where the rows have the column `WEIGHT`."""

    @abstractmethod
    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> Model:
        """Learn from `train`; `validation` may only be used to choose (stopping, thresholds, calibration).

        Raises:
            DataError: The rows cannot be learned from (too few, one label).
            ModelError: Learning failed.
        """
