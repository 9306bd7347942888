"""Intervals of means over labels, where resamples miss rare labels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.evaluate import BalancedAccuracy, MacroF1
from seedbed.evaluate.intervals import confusion, resampled, scores, with_missed

LABELS = 50


def rare(seed: int = 3) -> NDArray[np.int64]:
    """What a fair model says of 500 rows, most of whose labels have a handful of rows; shape (2, rows)."""
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, LABELS + 1)
    truth = random.choice(LABELS, size=500, p=shares / shares.sum())
    return np.stack([truth, np.where(random.random(500) < 0.6, truth, random.integers(0, LABELS, 500))])


def scored(cells: NDArray[np.int64], metric: DecisionMetric) -> tuple[float, float, float]:
    found = scores(cells, [metric], level=0.95, resamples=2_000, seed=3)[metric.use]
    return found.low, found.value, found.high


def test_a_constant_answer_scores_what_it_scores() -> None:
    truth = rare()[0]
    present = np.unique(truth).size
    low, value, high = scored(confusion(truth, np.zeros_like(truth), LABELS), BalancedAccuracy())
    assert value == pytest.approx(1 / present)
    assert (low, high) == pytest.approx((value, value)), "whatever the rows, it finds all of one label and no other"


@pytest.mark.parametrize("metric", [BalancedAccuracy(), MacroF1()])
def test_resamples_lie_around_the_value(metric: DecisionMetric) -> None:
    cells = confusion(*rare(), LABELS)
    value = float(metric.of_cells(cells))
    drawn = np.concatenate([metric.of_cells(one) for one in resampled(cells, resamples=4_000, seed=3)])
    kept = cells[cells.sum(1) > 0]
    assert abs(drawn.mean() - value) < 0.5 * drawn.std(), f"{drawn.mean():.3f} around {value:.3f}, {len(kept)} labels"
    low, _, high = scored(cells, metric)
    assert low < value < high


def test_a_label_that_is_missed_has_one_row_answered_as_on_average() -> None:
    counts, truth = np.array([3, 1, 2, 4]), np.array([0, 0, 1, 1])
    drawn = np.array([[0, 0, 5, 5], [2, 0, 3, 5]])
    assert with_missed(drawn, counts, truth).tolist() == [[0.75, 0.25, 5, 5], [2, 0, 3, 5]]
    assert with_missed(drawn[1:], counts, truth).dtype == np.int64
