"""How a model did on rows of which one knows what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.metric import Answers, Metric, Score, Truth

from .forms import Details, Form
from .groups import Groups
from .intervals import by_cells, confusion, row_scores, scores, units_of


@dataclass(frozen=True)
class Judgement:
    """How a model did."""

    scores: dict[str, Score]
    """By metric; one that has no value on these rows is left out."""
    details: Details
    resampled: dict[str, NDArray[np.float64]]
    """Values of the metrics that are measured on rows, on resamples, for comparisons with models on the same rows."""


def judge(
    form: Form,
    truth: Truth,
    answers: Answers,
    metrics: Sequence[Metric],
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 13,
    groups: Groups = None,
) -> Judgement:
    """Scores with intervals, and what else there is to tell of such answers.

    Args:
        form: How truth and answers are held.
        truth: What is right, of each row.
        answers: What the model says of each row, as `Form.checked` gives it.
        metrics: What to compute.
        level: Coverage of the intervals.
        resamples: Bootstrap resamples.
        seed: Of the resamples.
        groups: The group of each row, where rows are no independent draws.

    Raises:
        DataError: There are no rows to judge on.
        ModelError: A probability is not a number.
    """
    if not len(truth):
        raise DataError("there are no rows to judge a model on", hint="give this split a larger share of the rows")
    decisions = [metric for metric in metrics if by_cells(metric, truth)]
    on_rows = [metric for metric in metrics if not by_cells(metric, truth)]
    found: dict[str, Score] = {}
    if decisions:
        decided, size = answers.argmax(axis=1), answers.shape[1]
        cells, units = confusion(truth, decided, size), units_of(truth, decided, size, groups)
        found |= scores(cells, decisions, level=level, resamples=resamples, seed=seed, units=units)  # type: ignore[arg-type]
    sampled = row_scores(truth, answers, on_rows, level=level, resamples=resamples, seed=seed, groups=groups)
    found |= {name: one.score for name, one in sampled.items()}
    return Judgement(
        scores={metric.use: found[metric.use] for metric in metrics if metric.use in found},
        details=form.details(truth, answers, level=level, resamples=resamples, seed=seed, groups=groups),
        resampled={name: one.values for name, one in sampled.items()},
    )


def measure(metric: Metric, truth: Truth, answers: Answers) -> float:
    """A metric's value alone; NaN where it has none."""
    return float(metric.of_rows(truth, answers, np.ones((1, len(truth)), dtype=np.uint8))[0])
