from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from seedbed.evaluate import Accuracy, ExpectedCalibrationError, LogLoss
from seedbed.evaluate.curves import MOST_LABELS, MOST_POINTS, curves
from seedbed.evaluate.folds import fold_scores
from seedbed.evaluate.reliability import reliability


def answers(rows: int, labels: int, seed: int, digits: int = 9) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(labels), random.integers(0, labels, rows - labels)])
    scores = random.normal(size=(rows, labels))
    scores[np.arange(rows), truth] += 1
    powers = np.round(np.exp(scores), digits) + 1e-3
    return truth, powers / powers.sum(1, keepdims=True)


@settings(deadline=None, max_examples=30)
@given(st.integers(10, 150), st.integers(2, 4), st.integers(0, 10**6), st.sampled_from([0, 9]))
def test_points_are_scikit_learns(rows: int, labels: int, seed: int, digits: int) -> None:
    truth, probabilities = answers(rows, labels, seed, digits)
    names = [f"l{k}" for k in range(labels)]
    found = curves(truth, probabilities, names)
    assert sorted(one.label for one in found.roc) == names
    for one in found.roc:
        k = names.index(one.label)
        x, y, _ = roc_curve(truth == k, probabilities[:, k], drop_intermediate=False)
        assert np.allclose(one.x, x, atol=1e-5) and np.allclose(one.y, y, atol=1e-5)
        assert one.area == pytest.approx(roc_auc_score(truth == k, probabilities[:, k]))
    for one in found.precision_recall:
        k = names.index(one.label)
        precision, recall, _ = precision_recall_curve(truth == k, probabilities[:, k])
        # Theirs goes the other way and adds a point (0, 1) that no threshold has.
        assert np.allclose(one.x, recall[:-1][::-1], atol=1e-5)
        assert np.allclose(one.y, precision[:-1][::-1], atol=1e-5)
        assert one.area == pytest.approx(average_precision_score(truth == k, probabilities[:, k]))


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    truth, probabilities = answers(5_000, 3, 1)
    found = curves(truth, probabilities, list("abc"))
    for one in found.roc:
        assert 150 < len(one.x) <= MOST_POINTS
        assert (one.x[0], one.y[0], one.x[-1], one.y[-1]) == (0, 0, 1, 1)
        assert np.trapezoid(one.y, one.x) == pytest.approx(one.area, abs=0.003)
    for one in found.precision_recall:
        assert len(one.x) <= MOST_POINTS
        assert one.x[-1] == 1


def test_labels_are_the_most_frequent_and_none_without_rows() -> None:
    truth, probabilities = answers(2_000, 30, 1)
    found = curves(truth, probabilities, [str(k) for k in range(30)])
    assert len(found.roc) == len(found.precision_recall) == MOST_LABELS
    counts = np.bincount(truth)
    assert found.roc[0].label == str(counts.argmax())
    truth[truth == 0] = 1
    found = curves(truth[:100], probabilities[:100], [str(k) for k in range(30)])
    assert "0" not in {one.label for one in found.roc}


def test_reliability_adds_up_to_the_error_and_has_exact_intervals() -> None:
    truth, probabilities = answers(400, 3, 2)
    bins = reliability(truth, probabilities, level=0.9)
    assert sum(one.rows for one in bins) == 400
    error = sum(one.rows / 400 * abs(one.accuracy.value - one.confidence) for one in bins)
    once = np.ones((1, 400), dtype=np.uint8)
    assert error == pytest.approx(ExpectedCalibrationError().of_rows(truth, probabilities, once)[0])
    for one in bins:
        assert one.low < one.confidence <= one.high
        exact = binomtest(round(one.accuracy.value * one.rows), one.rows).proportion_ci(0.9)
        assert (one.accuracy.low, one.accuracy.high) == pytest.approx((exact.low, exact.high))
    sure = reliability(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert [(one.low, one.high, one.rows, one.confidence) for one in sure] == [(14 / 15, 1, 2, 1)]


def test_fold_intervals_are_those_of_nadeau_and_bengio() -> None:
    """For 5 folds, held-out rows by training rows are 1/4."""
    values = [0.70, 0.74, 0.71, 0.77, 0.73]
    found = fold_scores(Accuracy(), values, level=0.9)
    spread = np.std(values, ddof=1) * np.sqrt(1 / 5 + 0.2 / 0.8)
    low, high = t.interval(0.9, 4, loc=np.mean(values), scale=spread)
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))
    assert fold_scores(Accuracy(), [1.0, 0.9]).high == 1
    assert fold_scores(LogLoss(), [0.1, 0.9]).low == 0
