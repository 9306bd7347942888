"""How a model did on rows whose labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.core.errors import DataError, ModelError
from seedbed.core.metric import DecisionMetric, Metric, ProbabilityMetric, Score
from seedbed.core.numbers import things
from seedbed.core.run import ClassScore, Curves, ReliabilityBin

from .curves import curves
from .intervals import class_scores, confusion, row_scores, scores
from .reliability import reliability


@dataclass(frozen=True)
class Judgement:
    """How a model did."""

    scores: dict[str, Score]
    """By metric; one that has no value on these rows is left out."""
    classes: dict[str, ClassScore]
    """By label."""
    confusion: list[list[int]]
    """Rows by true label (outer) and predicted label (inner), in the order of the labels."""
    curves: Curves
    reliability: tuple[ReliabilityBin, ...]
    resampled: dict[str, NDArray[np.float64]]
    """Values of the metrics of probabilities on resamples, for comparisons with models on the same rows."""


def decide(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The most probable label of each row, the first of equals: shape (rows, labels) to (rows,).

    Raises:
        ModelError: A probability is not a number.
    """
    if np.isnan(probabilities).any():
        rows = int(np.isnan(probabilities).any(axis=1).sum())
        raise ModelError(f"the model gave no probability for {rows} of {things(len(probabilities), 'row')}")
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def judge(
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
    metrics: Sequence[Metric],
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 13,
) -> Judgement:
    """Scores with intervals, per label too, the confusion matrix, curves and reliability.

    Args:
        truth: True label of each row, as an index into `labels`, shape (rows,).
        probabilities: Of each label for each row, shape (rows, labels).
        labels: The labels in order.
        metrics: What to compute.
        level: Coverage of the intervals.
        resamples: Bootstrap resamples.
        seed: Of the resamples.

    Raises:
        DataError: There are no rows to judge on.
        ModelError: The probabilities are not one row of numbers per row and one number per label.
    """
    if not truth.size:
        raise DataError("there are no rows to judge a model on", hint="give this split a larger share of the rows")
    if probabilities.shape != (truth.size, len(labels)):
        shape = " x ".join(map(str, probabilities.shape))
        raise ModelError(f"the model gave {shape} probabilities for {truth.size} rows and {len(labels)} labels")
    cells = confusion(truth, decide(probabilities), len(labels))
    decisions = [metric for metric in metrics if isinstance(metric, DecisionMetric)]
    on_rows = [metric for metric in metrics if isinstance(metric, ProbabilityMetric)]
    found = scores(cells, decisions, level=level, resamples=resamples, seed=seed)
    sampled = row_scores(truth, probabilities, on_rows, level=level, resamples=resamples, seed=seed)
    found |= {name: one.score for name, one in sampled.items()}
    return Judgement(
        scores={metric.use: found[metric.use] for metric in metrics if metric.use in found},
        classes=class_scores(cells, labels, level=level, resamples=resamples, seed=seed),
        confusion=cells.tolist(),
        curves=curves(truth, probabilities, labels),
        reliability=reliability(truth, probabilities, level=level),
        resampled={name: one.values for name, one in sampled.items()},
    )


def measure(metric: Metric, truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """A metric's value alone; NaN where it has none."""
    return float(metric.of_rows(truth, probabilities, np.ones((1, truth.size), dtype=np.uint8))[0])
