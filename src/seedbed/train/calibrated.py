"""Probabilities that can be believed: a model's own, put right by one number that validation rows give.

Temperature scaling (Guo et al. 2017, *On Calibration of Modern Neural Networks*): each probability is raised to the
power 1/T, and each row made to add up to 1 again. T above 1 makes the model less sure, below 1 surer; the order of the
labels stays, so that no decision changes. T is the one at which the log loss of the validation rows is least, were one
row more a mistake, with the second most probable label right: a model without a mistake on n rows may make one among
the next, and without that would be made as sure as can be (after the targets of Platt 1999, *Probabilistic Outputs for
Support Vector Machines*).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.counted import AsCounted, Counted
from seedbed.core.graph import Graph, graph_of
from seedbed.core.learner import ArrayModel
from seedbed.core.run import Calibration

#: Fewer rows than this say too little about how sure a model should be.
FEWEST_ROWS = 50
LOWEST, HIGHEST = 0.05, 20.0
# What the log loss must gain per row; a model of equal chances gains nothing at any temperature.
_GAIN = 1e-6
_SMALLEST = float(np.finfo(np.float64).eps)


class Calibrated(ArrayModel):
    """A model whose probabilities are put right. The bundle keeps the temperature, the model its own files."""

    def __init__(self, model: ArrayModel, calibration: Calibration) -> None:
        self.model, self.calibration = model, calibration
        self.labels, self.told = model.labels, model.told
        self.at_once, self.precision = model.at_once, model.precision

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels)."""
        return heated(self.model.predict(rows), self.calibration.temperature)

    def use_store(self, store: Path) -> None:
        """As the model does."""
        self.model.use_store(store)

    def graph(self, temperature: float = 1.0) -> Graph:
        """The model's, calibrated.

        Raises:
            ModelError: The model cannot be said as a graph.
            MissingExtraError: What makes graphs is not installed.
        """
        return graph_of(self.model, "this kind of model", temperature * self.calibration.temperature)

    def counted(self) -> Counted | None:
        """The model's layer, calibrated, where it is one on terms."""
        found = self.model.counted() if isinstance(self.model, AsCounted) else None
        return found and replace(found, temperature=found.temperature * self.calibration.temperature)

    def save(self, folder: Path) -> None:
        """Write the model's own files; `save_bundle` keeps the temperature."""
        self.model.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Refused: the temperature stands in the bundle.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a calibrated model is read with its bundle: `load_bundle`")


def heated(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities to the power 1/temperature, each row adding up to 1: shape (rows, labels).

    The most probable label of a row, the first of equals, is the same as before.
    """
    if temperature == 1 or not probabilities.size:
        return probabilities
    powers = _powers(_logs(probabilities), temperature)
    found: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    before = probabilities.argmax(axis=1)
    # Two probabilities that differed in the last digit may have become equal.
    tied = np.flatnonzero(found.argmax(axis=1) != before)
    found[tied, before[tied]] = np.nextafter(found[tied].max(axis=1), 2)
    return found


def calibration_of(truth: NDArray[np.int64], probabilities: NDArray[np.float64], split: str) -> Calibration | None:
    """The temperature at which the log loss of some rows is least.

    Args:
        truth: True label of each row, from 0, shape (rows,).
        probabilities: Of each label, shape (rows, labels), from a model that was not trained on these rows.
        split: What the rows are called.

    Returns:
        None for fewer than 50 rows. The temperature lies between 0.05 and 20; it is 1 where no other one is better.
    """
    from scipy.optimize import minimize_scalar

    if truth.size < FEWEST_ROWS:
        return None
    logs = _logs(probabilities)
    second = np.argsort(-probabilities, axis=1, kind="stable")[:, 1]

    def loss(temperature: float, of: NDArray[np.int64] = truth) -> float:
        powers = _powers(logs, temperature)
        given = powers[np.arange(of.size), of] / powers.sum(axis=1)
        return float(-np.log(given.clip(_SMALLEST, 1 - _SMALLEST)).mean())

    def aim(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        return truth.size * loss(temperature) + loss(temperature, second)

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    found = minimize_scalar(aim, bounds=bounds, method="bounded", options={"xatol": 1e-5, "maxiter": 200})
    before, temperature = loss(1.0), round(float(np.exp(found.x)), 6)
    after = loss(temperature)
    if after > before - _GAIN:
        temperature, after = 1.0, before
    return Calibration(
        temperature=temperature, split=split, rows=int(truth.size), log_loss_before=before, log_loss_after=after
    )


def _logs(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms, those of each row's largest 0."""
    with np.errstate(divide="ignore"):
        logs: NDArray[np.float64] = np.log(probabilities)
    return np.asarray(logs - logs.max(axis=1, keepdims=True))


def _powers(logs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(logs / temperature))
