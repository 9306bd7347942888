"""How a model did on rows whose labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError, ModelError
from seedbed.core.ledger import excerpt_of
from seedbed.core.metric import Metric, Score
from seedbed.core.run import ClassScore, Mistake

from .intervals import class_scores, confusion, scores


@dataclass(frozen=True)
class Judgement:
    """How a model did."""

    scores: dict[str, Score]
    """By metric."""
    classes: dict[str, ClassScore]
    """By label."""
    confusion: list[list[int]]
    """Rows by true label (outer) and predicted label (inner), in the order of the labels."""


def decide(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The most probable label of each row, the first of equals: shape (rows, labels) to (rows,).

    Raises:
        ModelError: A probability is not a number.
    """
    if np.isnan(probabilities).any():
        rows = int(np.isnan(probabilities).any(axis=1).sum())
        raise ModelError(f"the model gave no probability for {rows} of {len(probabilities)} rows")
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
    """Scores with intervals, per label too, and the confusion matrix.

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
    return Judgement(
        scores=scores(cells, metrics, level=level, resamples=resamples, seed=seed),
        classes=class_scores(cells, labels, level=level, resamples=resamples, seed=seed),
        confusion=cells.tolist(),
    )


def mistakes(
    rows: pl.Series,
    texts: pl.Series,
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
    most: int = 20,
) -> tuple[Mistake, ...]:
    """The wrong answers that the model was surest of, surest first; equals in the order of the rows.

    Args:
        rows: Row ids, shape (rows,).
        texts: What the model read, shape (rows,).
        truth: True label of each row, as an index into `labels`, shape (rows,).
        probabilities: Of each label for each row, shape (rows, labels).
        labels: The labels in order.
        most: At most so many.
    """
    predicted = decide(probabilities)
    confidence = probabilities.max(axis=1) if truth.size else np.zeros(0)
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most].tolist()
    excerpts = pl.DataFrame({"text": texts[worst].cast(pl.String).fill_null("")}).select(excerpt_of(pl.col("text")))
    return tuple(
        Mistake(
            row=str(rows[i]),
            text=text,
            truth=labels[truth[i]],
            predicted=labels[predicted[i]],
            confidence=float(confidence[i]),
        )
        for i, text in zip(worst, excerpts["text"].to_list(), strict=True)
    )
