from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from seedbed.core.metric import Metric, Score
from seedbed.core.task import TabularRegression
from seedbed.evaluate import R2, Mae, MedianAbsoluteError, Mse, Rmse, Rmsle, Within10Percent
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.intervals import unseen_share
from seedbed.evaluate.judge import judge

Theirs = Callable[[np.ndarray, np.ndarray], float]


def plain_within(truth: np.ndarray, told: np.ndarray) -> float:
    return float(np.mean([10 * abs(b - a) <= abs(a) * (1 + 1e-9) for a, b in zip(truth, told, strict=True)]))


METRICS: list[tuple[Metric, Theirs]] = [
    (Mse(), theirs.mean_squared_error),
    (Rmse(), theirs.root_mean_squared_error),
    (Mae(), theirs.mean_absolute_error),
    (MedianAbsoluteError(), theirs.median_absolute_error),
    (R2(), theirs.r2_score),
    (Within10Percent(), plain_within),
]
every_metric = pytest.mark.parametrize("metric", [*(one for one, _ in METRICS), Rmsle()], ids=lambda one: one.use)

# Few different values, so that there are ties; halves are exact, so that only sums are rounded.
halves = st.integers(-400, 400).map(lambda whole: whole / 2)


@st.composite
def cases(draw: st.DrawFn, values: st.SearchStrategy[float] = halves) -> tuple[np.ndarray, np.ndarray]:
    """Truth, shape (rows,), and answers, shape (rows, 1)."""
    rows = draw(st.lists(st.tuples(values, values), min_size=1, max_size=25))
    both = np.array(rows, dtype=np.float64)
    return both[:, 0], both[:, 1:]


def once(truth: np.ndarray) -> np.ndarray:
    return np.ones((1, truth.size), dtype=np.uint8)


def value(metric: Metric, truth: list[float], answers: list[float]) -> float:
    told = np.array(answers, dtype=np.float64).reshape(-1, 1)
    return float(metric.of_rows(np.array(truth, dtype=np.float64), told, np.ones((1, len(truth))))[0])


@pytest.mark.parametrize(("metric", "theirs"), METRICS, ids=[metric.use for metric, _ in METRICS])
@settings(deadline=None)
@given(case=cases())
def test_value_is_scikit_learns(metric: Metric, theirs: Theirs, case: tuple[np.ndarray, np.ndarray]) -> None:
    truth, answers = case
    found = float(metric.of_rows(truth, answers, once(truth))[0])
    if metric.use == "r2" and np.ptp(truth) == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(theirs(truth, answers[:, 0]), rel=1e-12, abs=1e-12)


@settings(deadline=None)
@given(case=cases(st.floats(0, 1e9)))
def test_rmsle_is_scikit_learns(case: tuple[np.ndarray, np.ndarray]) -> None:
    truth, answers = case
    found = float(Rmsle().of_rows(truth, answers, once(truth))[0])
    assert found == pytest.approx(theirs.root_mean_squared_log_error(truth, answers[:, 0]), rel=1e-12, abs=1e-12)


@every_metric
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64])
@settings(deadline=None, max_examples=40)
@given(case=cases(), seed=st.integers(0, 1000))
def test_a_weight_is_a_row_that_often(
    metric: Metric, kind: type, case: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    truth, answers = case
    weights = np.random.default_rng(seed).integers(0, 4, (5, truth.size))
    found = metric.over(truth, answers)(weights.astype(kind))
    for one, weight in zip(found, weights, strict=True):
        rows = np.repeat(np.arange(truth.size), weight)
        alone = metric.of_rows(truth[rows], answers[rows], once(rows)) if rows.size else [np.nan]
        assert one == pytest.approx(alone[0], rel=1e-9, abs=1e-9, nan_ok=True)


@settings(deadline=None, max_examples=40)
@given(case=cases(), seed=st.integers(0, 1000))
def test_weights_need_not_be_whole(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    truth, answers = case
    weights = np.random.default_rng(seed).uniform(0.1, 2, (1, truth.size))
    pairs = [(Mse(), theirs.mean_squared_error), (Mae(), theirs.mean_absolute_error), (R2(), theirs.r2_score)]
    for metric, other in pairs:
        found = float(metric.of_rows(truth, answers, weights)[0])
        if metric.use != "r2" or np.ptp(truth):
            expected = other(truth, answers[:, 0], sample_weight=weights[0])
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@every_metric
def test_scale_of_values(metric: Metric) -> None:
    """Numbers as large as a model may come to say neither warn nor lose the other rows."""
    for far in (1e160, 1e304):
        found = metric.of_rows(np.array([1.0, 2.0, 4.0]), np.array([[1.0], [2.0], [far]]), np.array([[1, 1, 1]]))
        assert not np.isnan(found).any()
        without = metric.over(np.array([1.0, 2.0, 4.0]), np.array([[1.0], [2.0], [far]]))(np.array([[3, 1, 0]]))
        assert without[0] == pytest.approx(1.0 if metric.highest == 1 else 0.0)


def test_r2_of_numbers_far_from_0() -> None:
    truth, told = [1e9, 1e9 + 1, 1e9 + 2], [1e9, 1e9 + 1, 1e9 + 3]
    assert value(R2(), truth, told) == pytest.approx(0.5, abs=1e-6)
    assert value(R2(), [n * 1e-160 for n in (1, 2, 3)], [n * 1e-160 for n in (1, 2, 4)]) == pytest.approx(0.5)
    assert math.isnan(value(R2(), [0.1] * 7, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]))
    assert math.isnan(value(R2(), [3.0], [3.0]))
    assert math.isnan(value(R2(), [n * 1e-300 for n in (1, 2, 3)], [1e-3] * 3)), "further off than can be said"
    truth = np.array([0.1, 0.1, 0.1, 5.3, 7.7])
    resamples = np.array([[1, 2, 5, 0, 0], [3, 1, 1, 0, 0], [0, 0, 0, 7, 0], [0, 0, 0, 0, 3]])
    assert np.isnan(R2().of_rows(truth, truth[:, None] + 1, resamples)).all()


def test_rmsle_has_no_value_below_0() -> None:
    assert math.isnan(value(Rmsle(), [1.0, -1e-9], [1.0, 2.0]))
    assert math.isnan(value(Rmsle(), [1.0, 2.0], [-0.5, 2.0]))
    assert value(Rmsle(), [1.0, 0.0], [1.0, -0.0]) == 0.0


def test_the_border_of_10_percent() -> None:
    """Whole numbers and ten times as many tenths: binary fractions do not decide."""
    for whole in range(1, 2000):
        assert value(Within10Percent(), [whole / 10], [(whole + whole / 10) / 10]) == 1
        assert value(Within10Percent(), [whole / 10], [whole / 10 * 1.1]) == 1
    assert value(Within10Percent(), [100.0], [110.000001]) == 0
    assert value(Within10Percent(), [-10.0, 0.0, 0.0], [-9.0, 0.0, 1e-12]) == pytest.approx(2 / 3)


def judged(truth: np.ndarray, answers: np.ndarray, metrics: list[Metric], **how: int) -> dict[str, Score]:
    form = form_of(TabularRegression(kind="tabular_regression", target="target"))
    return judge(form, truth, form.checked(answers[:, None], len(truth), ()), metrics, **how).scores


def test_intervals_of_few_rows_that_agree_are_exact() -> None:
    truth = np.arange(1.0, 21.0)
    for answers, value_, other in ((truth, 1.0, 1 - unseen_share(20, 0.95)), (truth * 2, 0.0, unseen_share(20, 0.95))):
        score = judged(truth, answers, [Within10Percent()], resamples=200, seed=1)["within_10_percent"]
        assert score.value == value_
        assert (score.low, score.high) == pytest.approx(sorted((value_, other)))


def test_a_metric_without_a_value_is_left_out() -> None:
    truth = np.arange(-5.0, 5.0)
    assert list(judged(truth, truth + 1, [Rmsle(), Mae(), R2()], resamples=50)) == ["mae", "r2"]
    assert list(judged(np.ones(9), np.arange(9.0), [R2(), Mae(), Rmsle()], resamples=50)) == ["mae", "rmsle"]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of 200 samples of 100 rows, 95 % intervals of MAE and R² hold what many rows have in 88 to 99 %."""
    random = np.random.default_rng(3)
    held = {"mae": 0, "r2": 0}
    for seed in range(200):
        truth = random.normal(size=100)
        answers = truth + random.normal(scale=0.5, size=100)
        found = judged(truth, answers, [Mae(), R2()], resamples=300, seed=seed)
        for name, exact in (("mae", 0.5 * math.sqrt(2 / math.pi)), ("r2", 1 - 0.25)):
            held[name] += found[name].low <= exact <= found[name].high
    assert all(0.88 <= n / 200 <= 0.99 for n in held.values()), held


@every_metric
def test_examples(metric: Metric) -> None:
    for example in metric.examples:
        found = value(metric, example.before["truth"], example.before["answers"])
        assert found == pytest.approx(example.after["value"][0], nan_ok=True)


@every_metric
def test_no_rows(metric: Metric) -> None:
    assert (
        np.isnan(metric.of_rows(np.zeros(0), np.zeros((0, 1)), np.ones((2, 0), dtype=np.uint8))).tolist() == [True] * 2
    )
