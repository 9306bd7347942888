"""Metrics of rows that have any number of labels, and those of one label that came with them, beside scikit-learn's."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from seedbed.core.metric import DecisionMetric, Metric
from seedbed.evaluate import (
    Accuracy,
    AveragePrecision,
    Brier,
    CohenKappa,
    HammingLoss,
    LogLoss,
    MacroF1,
    MacroPrecision,
    MacroRecall,
    Matthews,
    MicroF1,
    RocAuc,
    SamplesF1,
    Top3Accuracy,
    WeightedF1,
)
from seedbed.evaluate.over_labels import sets_of

Sets = tuple[np.ndarray, np.ndarray]


def of_label(function: Callable[..., float]) -> Callable[[np.ndarray, np.ndarray], float]:
    """The mean of a binary metric over labels."""
    return lambda truth, chances: float(np.mean([function(*one) for one in zip(truth.T, chances.T, strict=True)]))


def averaged(function: Callable[..., float], average: str, empty: float = 0) -> Callable[..., float]:
    return lambda truth, chances: function(truth, chances >= 0.5, average=average, zero_division=empty)


#: Where every label occurs, among truth or decisions.
SCIKIT_LEARNS: list[tuple[Metric, Callable[[np.ndarray, np.ndarray], float]]] = [
    (MacroF1(), averaged(theirs.f1_score, "macro")),
    (MicroF1(), averaged(theirs.f1_score, "micro")),
    (WeightedF1(), averaged(theirs.f1_score, "weighted")),
    (MacroPrecision(), averaged(theirs.precision_score, "macro")),
    (MacroRecall(), averaged(theirs.recall_score, "macro")),
    (SamplesF1(), averaged(theirs.f1_score, "samples", 1)),
    (Accuracy(), lambda truth, chances: theirs.accuracy_score(truth, chances >= 0.5)),
    (HammingLoss(), lambda truth, chances: theirs.hamming_loss(truth, chances >= 0.5)),
    (LogLoss(), of_label(lambda has, chances: theirs.log_loss(has, chances, labels=[False, True]))),
    (Brier(), of_label(lambda has, chances: theirs.brier_score_loss(has, chances, labels=[False, True]))),
    (RocAuc(), lambda truth, chances: theirs.roc_auc_score(truth, chances, average="macro")),
    (AveragePrecision(), lambda truth, chances: theirs.average_precision_score(truth, chances, average="macro")),
]
OF_SETS = [metric for metric, _ in SCIKIT_LEARNS]
by_use = {"ids": lambda metric: metric.use if isinstance(metric, Metric) else ""}


@st.composite
def sets(draw: st.DrawFn, *, every_label: bool = True) -> Sets:
    """Truth and probabilities with many ties; every label is held by a row and lacked by one."""
    rows, labels = draw(st.integers(2, 12)), draw(st.integers(2, 4))
    held = np.array(draw(st.lists(st.booleans(), min_size=rows * labels, max_size=rows * labels)))
    chances = np.array(draw(st.lists(st.integers(0, 8), min_size=rows * labels, max_size=rows * labels))) / 8
    truth = held.reshape(rows, labels)
    if every_label:
        truth[0], truth[1] = True, False
    return truth, chances.reshape(rows, labels)


def value(metric: Metric, truth: np.ndarray, answers: np.ndarray) -> float:
    return float(metric.of_rows(truth, answers, np.ones((1, len(truth)), dtype=np.uint8))[0])


@pytest.mark.parametrize(("metric", "scikit_learns"), SCIKIT_LEARNS, **by_use)
@settings(deadline=None, max_examples=40)
@given(case=sets())
def test_values_are_scikit_learns(metric: Metric, scikit_learns: Callable[..., float], case: Sets) -> None:
    assert "labels" in metric.says
    assert value(metric, *case) == pytest.approx(scikit_learns(*case), abs=1e-12)


@pytest.mark.parametrize("metric", OF_SETS, **by_use)
@pytest.mark.parametrize("kind", [np.uint8, np.float64])
@settings(deadline=None, max_examples=30)
@given(case=sets(every_label=False), seed=st.integers(0, 1000))
def test_a_weight_is_a_row_that_often(metric: Metric, kind: type, case: Sets, seed: int) -> None:
    truth, answers = case
    weights = np.random.default_rng(seed).integers(0, 4, (5, len(truth)))
    found = metric.over(truth, answers)(weights.astype(kind))
    for one, weight in zip(found, weights, strict=True):
        rows = np.repeat(np.arange(len(truth)), weight)
        alone = value(metric, truth[rows], answers[rows]) if rows.size else np.nan
        assert one == pytest.approx(alone, abs=1e-12, nan_ok=True)


@st.composite
def labelled(draw: st.DrawFn) -> Sets:
    """Truth as codes, and probabilities, without ties but for rounding."""
    labels, rows = draw(st.integers(2, 6)), draw(st.integers(1, 15))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    return random.integers(0, labels, rows), random.dirichlet(np.ones(labels), rows)


ALIKE = [MacroF1(), MicroF1(), WeightedF1(), MacroPrecision(), MacroRecall(), Accuracy()]


@pytest.mark.parametrize("metric", ALIKE, **by_use)
@settings(deadline=None, max_examples=40)
@given(case=labelled())
def test_one_label_a_row_is_a_set_of_one(metric: Metric, case: Sets) -> None:
    truth, answers = case
    held, decided = sets_of(truth, answers)
    assert (held.sum(axis=1) == 1).all()
    assert (decided.sum(axis=1) == 1).all()
    assert isinstance(metric, DecisionMetric)
    cells = theirs.confusion_matrix(truth, answers.argmax(axis=1), labels=list(range(answers.shape[1])))
    from_cells = float(metric.of_cells(cells))
    assert value(metric, truth, answers) == pytest.approx(from_cells, abs=1e-12)
    assert value(metric, held, decided.astype(np.float64)) == pytest.approx(from_cells, abs=1e-12)


@pytest.mark.parametrize("metric", [MacroF1(), MacroPrecision(), MacroRecall()], **by_use)
def test_labels_that_occur_nowhere_are_left_out(metric: Metric) -> None:
    truth, answers = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool), np.array([[0.9, 0.7, 0.2], [0.2, 0.8, 0.1]])
    assert value(metric, truth, answers) == value(metric, truth[:, :2], answers[:, :2])
    assert value(metric, truth, answers) == pytest.approx({"macro_f1": 2 / 3}.get(metric.use, 0.75))


def test_rows_without_any_label() -> None:
    truth, none, some = np.zeros((3, 2), dtype=bool), np.full((3, 2), 0.1), np.array([[0.1, 0.1]] * 2 + [[0.9, 0.9]])
    assert [value(one, truth, none) for one in (Accuracy(), SamplesF1(), HammingLoss())] == [1, 1, 0]
    found = [value(one, truth, some) for one in (Accuracy(), SamplesF1(), HammingLoss())]
    assert found == pytest.approx([2 / 3] * 2 + [1 / 3])
    assert all(np.isnan(value(one, truth, none)) for one in (MacroF1(), MicroF1(), WeightedF1(), RocAuc()))
    assert value(MicroF1(), truth, some) == 0


def test_a_label_is_decided_from_one_half_on() -> None:
    truth = np.array([[True]])
    assert [value(Accuracy(), truth, np.array([[p]])) for p in (0.5, np.nextafter(0.5, 0))] == [1, 0]


@pytest.mark.parametrize("metric", OF_SETS, **by_use)
def test_no_weight_has_no_value(metric: Metric) -> None:
    truth, answers = np.array([[True, False], [False, True]]), np.array([[0.9, 0.2], [0.4, 0.6]])
    assert np.isnan(metric.over(truth, answers)(np.zeros((2, 2), dtype=np.uint8))).all()


# What resamples cannot tell

BOUNDED = [MacroF1(), MicroF1(), WeightedF1(), MacroPrecision(), MacroRecall(), Accuracy(), SamplesF1(), HammingLoss()]


@pytest.mark.parametrize("metric", [*BOUNDED, RocAuc(), AveragePrecision()], **by_use)
def test_where_nothing_was_wrong_something_may_be(metric: Metric) -> None:
    """At the bound, the chance that so many rows show no mistake is 0.025; more rows leave less room."""
    ends = []
    for rows in (20, 2000):
        truth = np.arange(rows)[:, None] % 4 > np.array([[0, 1, 2]])
        best = value(metric, truth, truth * 0.8 + 0.1)
        assert best == (0 if metric.lower_is_better else 1)
        end = metric.unseen(truth, truth * 0.8 + 0.1, 0.95)
        assert end is not None
        ends.append(abs(end - best))
    assert 1 > ends[0] > 20 * ends[1] > 0
    assert metric.unseen(truth, np.full(truth.shape, 0.5), 0.95) is None


def test_the_bound_of_a_share_is_exact() -> None:
    truth = np.array([[True, False]] * 20)
    assert Accuracy().unseen(truth, truth * 1.0, 0.95) == pytest.approx(0.025 ** (1 / 20))
    assert Accuracy().unseen(truth, 1.0 - truth, 0.95) == pytest.approx(1 - 0.025 ** (1 / 20))


@pytest.mark.parametrize("metric", BOUNDED, **by_use)
def test_where_nothing_was_right_something_may_be(metric: Metric) -> None:
    truth = np.array([[True, False], [False, True]] * 10)
    worst = value(metric, truth, 1.0 - truth)
    end = metric.unseen(truth, 1.0 - truth, 0.95)
    assert worst == (1 if metric.lower_is_better else 0)
    assert end is not None
    assert 0 < abs(end - worst) < 0.5


# One of several labels


@settings(deadline=None, max_examples=100)
@given(case=labelled())
def test_agreement_and_correlation_are_scikit_learns(case: Sets) -> None:
    truth, answers = case
    predicted = answers.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kappa, matthews = theirs.cohen_kappa_score(truth, predicted), theirs.matthews_corrcoef(truth, predicted)
    assert value(CohenKappa(), truth, answers) == pytest.approx(kappa, abs=1e-12, nan_ok=True)
    assert value(Matthews(), truth, answers) == pytest.approx(matthews, abs=1e-12)


@pytest.mark.parametrize("metric", [CohenKappa(), Matthews()], **by_use)
def test_many_matrices_at_once_are_each_alone(metric: DecisionMetric) -> None:
    cells = np.random.default_rng(1).integers(0, 9, (2, 5, 3, 3))
    alone = [[float(metric.of_cells(one)) for one in some] for some in cells]
    assert metric.of_cells(cells).tolist() == alone
    assert np.isnan(metric.of_cells(np.zeros((3, 3), dtype=np.int64)))


@settings(deadline=None, max_examples=60)
@given(case=labelled())
def test_the_first_three_and_brier_are_scikit_learns(case: Sets) -> None:
    truth, answers = case
    labels = list(range(answers.shape[1]))
    two = len(labels) == 2
    scores, given_to = (answers[:, 1], answers[:, 1]) if two else (answers, answers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a k of all labels tells nothing
        top = theirs.top_k_accuracy_score(truth, scores, k=3, labels=labels)
    assert value(Top3Accuracy(), truth, answers) == pytest.approx(top)
    brier = theirs.brier_score_loss(truth, given_to, labels=labels)
    assert value(Brier(), truth, answers) == pytest.approx(brier, abs=1e-12)


def test_of_equals_the_first_are_among_the_three() -> None:
    even = np.full((4, 4), 0.25)
    assert value(Top3Accuracy(), np.arange(4), even) == 0.75
    assert value(Top3Accuracy(), np.array([3]), even[:1]) == 0
    assert Top3Accuracy().unseen(np.array([0, 1]), even[:2], 0.95) == pytest.approx(0.025**0.5)
