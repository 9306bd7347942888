from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from seedbed.core.metric import Metric
from seedbed.evaluate import Accuracy, BalancedAccuracy, MacroF1
from seedbed.evaluate.intervals import confusion

METRICS: list[tuple[Metric, Callable[..., float]]] = [
    (Accuracy(), accuracy_score),
    (BalancedAccuracy(), balanced_accuracy_score),
    (MacroF1(), lambda truth, predicted: f1_score(truth, predicted, average="macro", zero_division=0)),
]
NAMES = [metric.use for metric, _ in METRICS]

#: (labels, rows of (truth, prediction)); with few rows, labels are often absent from truth, predictions or both.
answers = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        st.just(k), st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=25)
    )
)


def as_arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(pairs, dtype=np.int64)
    return both[:, 0], both[:, 1]


@pytest.mark.parametrize(("metric", "theirs"), METRICS, ids=NAMES)
@settings(deadline=None)  # the first call into scikit-learn is slow
@given(case=answers)
def test_value_is_scikit_learns(
    metric: Metric, theirs: Callable[..., float], case: tuple[int, list[tuple[int, int]]]
) -> None:
    size, pairs = case
    truth, predicted = as_arrays(pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks on labels that only predictions have, and on one label
        expected = theirs(truth, predicted)
    assert metric.of_cells(confusion(truth, predicted, size)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", [metric for metric, _ in METRICS], ids=NAMES)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=9), min_size=4, max_size=4)
)
def test_many_matrices_at_once_are_each_alone(metric: Metric, cases: list[list[tuple[int, int]]]) -> None:
    cells = np.stack([confusion(*as_arrays(pairs), 3) for pairs in cases])
    alone = [float(metric.of_cells(one)) for one in cells]
    assert metric.of_cells(cells).tolist() == alone
    assert metric.of_cells(cells.reshape(2, 2, 3, 3)).tolist() == [alone[:2], alone[2:]]


@pytest.mark.parametrize("metric", [metric for metric, _ in METRICS], ids=NAMES)
def test_no_rows_have_no_value(metric: Metric) -> None:
    assert np.isnan(metric.of_cells(np.zeros((3, 3), dtype=np.int64)))


@given(case=answers)
def test_confusion_counts_every_row_once(case: tuple[int, list[tuple[int, int]]]) -> None:
    size, pairs = case
    cells = confusion(*as_arrays(pairs), size)
    assert cells.shape == (size, size)
    assert all(cells[t, p] == pairs.count((t, p)) for t in range(size) for p in range(size))
