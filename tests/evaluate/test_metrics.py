from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from seedbed.core.metric import DecisionMetric, ProbabilityMetric
from seedbed.evaluate import (
    Accuracy,
    AveragePrecision,
    BalancedAccuracy,
    ExpectedCalibrationError,
    LogLoss,
    MacroF1,
    MacroPrecision,
    MacroRecall,
    MicroF1,
    RocAuc,
    WeightedF1,
)
from seedbed.evaluate.intervals import confusion
from seedbed.evaluate.log_loss import SMALLEST

Theirs = Callable[..., float]


def averaged(function: Callable[..., float], average: str) -> Theirs:
    return lambda truth, predicted: function(truth, predicted, average=average, zero_division=0)


METRICS: list[tuple[DecisionMetric, Theirs]] = [
    (Accuracy(), theirs.accuracy_score),
    (BalancedAccuracy(), theirs.balanced_accuracy_score),
    (MacroF1(), averaged(theirs.f1_score, "macro")),
    (MicroF1(), averaged(theirs.f1_score, "micro")),
    (WeightedF1(), averaged(theirs.f1_score, "weighted")),
    (MacroPrecision(), averaged(theirs.precision_score, "macro")),
    (MacroRecall(), averaged(theirs.recall_score, "macro")),
]
NAMES = [metric.use for metric, _ in METRICS]
ON_ROWS: list[ProbabilityMetric] = [RocAuc(), AveragePrecision(), LogLoss(), ExpectedCalibrationError()]

#: (labels, rows of (truth, prediction)); with few rows, labels are often absent from truth, predictions or both.
answers = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        st.just(k), st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=25)
    )
)


@st.composite
def beliefs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities with many ties; the labels all occur."""
    size = draw(st.integers(2, 4))
    rows = draw(st.integers(size, 25))
    truth = [*range(size), *draw(st.lists(st.integers(0, size - 1), min_size=rows - size, max_size=rows - size))]
    parts = draw(
        st.lists(st.lists(st.integers(0, 4), min_size=size, max_size=size).filter(any), min_size=rows, max_size=rows)
    )
    probabilities = np.array(parts, dtype=np.float64)
    return np.array(truth), probabilities / probabilities.sum(1, keepdims=True)


def as_arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pairs, dtype=np.int64)
    return both[:, 0], both[:, 1]


def once(truth: np.ndarray) -> np.ndarray:
    return np.ones((1, truth.size), dtype=np.uint8)


@pytest.mark.parametrize(("metric", "theirs"), METRICS, ids=NAMES)
@settings(deadline=None)  # the first call into scikit-learn is slow
@given(case=answers)
def test_value_is_scikit_learns(
    metric: DecisionMetric, theirs: Theirs, case: tuple[int, list[tuple[int, int]]]
) -> None:
    size, pairs = case
    truth, predicted = as_arrays(pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks on labels that only predictions have, and on one label
        expected = theirs(truth, predicted)
    assert metric.of_cells(confusion(truth, predicted, size)) == pytest.approx(expected, abs=1e-12)
    probabilities = np.eye(size)[predicted]
    assert metric.of_rows(truth, probabilities, once(truth)) == pytest.approx([expected], abs=1e-12)


@settings(deadline=None)
@given(case=beliefs())
def test_values_of_probabilities_are_scikit_learns(case: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = case
    two = probabilities.shape[1] == 2
    found = {metric.use: float(metric.of_rows(truth, probabilities, once(truth))[0]) for metric in ON_ROWS}
    scores = probabilities[:, 1] if two else probabilities
    assert found["roc_auc"] == pytest.approx(theirs.roc_auc_score(truth, scores, multi_class="ovr"), abs=1e-12)
    binary = np.eye(probabilities.shape[1])[truth]
    expected = theirs.average_precision_score(binary, probabilities, average="macro")
    assert found["average_precision"] == pytest.approx(expected, abs=1e-12)
    labels = list(range(probabilities.shape[1]))
    assert found["log_loss"] == pytest.approx(theirs.log_loss(truth, probabilities, labels=labels), abs=1e-12)
    assert found["expected_calibration_error"] == pytest.approx(plain_ece(truth, probabilities), abs=1e-12)


def plain_ece(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """As Guo et al. (2017) write it, bin by bin."""
    sure, right = probabilities.max(1), probabilities.argmax(1) == truth
    total = 0.0
    for m in range(15):
        inside = (sure > m / 15) & (sure <= (m + 1) / 15)
        if inside.any():
            total += inside.sum() / truth.size * abs(right[inside].mean() - sure[inside].mean())
    return float(total)


@pytest.mark.parametrize("metric", ON_ROWS, ids=lambda metric: metric.use)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64])
@settings(deadline=None, max_examples=40)
@given(case=beliefs(), seed=st.integers(0, 1000))
def test_a_weight_is_a_row_that_often(
    metric: ProbabilityMetric, kind: type, case: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    truth, probabilities = case
    weights = np.random.default_rng(seed).integers(0, 4, (5, truth.size))
    found = metric.of_rows(truth, probabilities, weights.astype(kind))
    for value, weight in zip(found, weights, strict=True):
        rows = np.repeat(np.arange(truth.size), weight)
        alone = metric.of_rows(truth[rows], probabilities[rows], once(rows)) if rows.size else [np.nan]
        assert value == pytest.approx(alone[0], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("metric", [metric for metric, _ in METRICS], ids=NAMES)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=9), min_size=4, max_size=4)
)
def test_many_matrices_at_once_are_each_alone(metric: DecisionMetric, cases: list[list[tuple[int, int]]]) -> None:
    cells = np.stack([confusion(*as_arrays(pairs), 3) for pairs in cases])
    alone = [float(metric.of_cells(one)) for one in cells]
    assert metric.of_cells(cells).tolist() == alone
    assert metric.of_cells(cells.reshape(2, 2, 3, 3)).tolist() == [alone[:2], alone[2:]]


@pytest.mark.parametrize("metric", [metric for metric, _ in METRICS], ids=NAMES)
def test_no_rows_have_no_value(metric: DecisionMetric) -> None:
    assert np.isnan(metric.of_cells(np.zeros((3, 3), dtype=np.int64)))


@pytest.mark.parametrize("metric", ON_ROWS, ids=lambda metric: metric.use)
def test_no_weight_has_no_value(metric: ProbabilityMetric) -> None:
    truth, probabilities = np.array([0, 1]), np.array([[0.9, 0.1], [0.4, 0.6]])
    assert np.isnan(metric.of_rows(truth, probabilities, np.zeros((2, 2), dtype=np.uint8))).all()


def test_a_label_without_rows_is_left_out() -> None:
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.3, 0.6, 0.1], [0.1, 0.7, 0.2]])
    two = [theirs.roc_auc_score(truth == k, probabilities[:, k]) for k in (0, 1)]
    assert RocAuc().of_rows(truth, probabilities, once(truth))[0] == pytest.approx(np.mean(two))
    two = [theirs.average_precision_score(truth == k, probabilities[:, k]) for k in (0, 1)]
    assert AveragePrecision().of_rows(truth, probabilities, once(truth))[0] == pytest.approx(np.mean(two))
    assert np.isnan(RocAuc().of_rows(np.zeros(4, dtype=np.int64), probabilities, once(truth))[0])


def test_what_is_held_impossible_is_not_infinite() -> None:
    value = LogLoss().of_rows(np.array([1]), np.array([[1.0, 0.0]]), np.ones((1, 1)))[0]
    assert value == pytest.approx(-np.log(SMALLEST))
    assert 36 < value < 36.1


@given(case=answers)
def test_confusion_counts_every_row_once(case: tuple[int, list[tuple[int, int]]]) -> None:
    size, pairs = case
    truth, predicted = as_arrays(pairs)
    cells = confusion(truth, predicted, size)
    assert cells.shape == (size, size)
    assert all(cells[t, p] == pairs.count((t, p)) for t in range(size) for p in range(size))
