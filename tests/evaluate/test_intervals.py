from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import precision_recall_fscore_support

from seedbed.core.metric import ProbabilityMetric
from seedbed.evaluate import (
    Accuracy,
    AveragePrecision,
    BalancedAccuracy,
    ExpectedCalibrationError,
    LogLoss,
    MacroF1,
    RocAuc,
    drawing,
    intervals,
)
from seedbed.evaluate.intervals import class_scores, confusion, resampled, row_scores, scores

METRICS = [Accuracy(), BalancedAccuracy(), MacroF1()]


def answers(rows: int, labels: int, right: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.choice(labels, size=rows, p=np.arange(1, labels + 1) / np.arange(1, labels + 1).sum())
    predicted = np.where(random.random(rows) < right, truth, random.integers(0, labels, rows))
    return truth, predicted


def test_drawing_cells_is_resampling_rows() -> None:
    truth, predicted = answers(200, 3, 0.7, seed=1)
    draws = 10_000
    random = np.random.default_rng(2)
    rows = random.integers(0, 200, size=(draws, 200))
    by_rows = np.stack([confusion(truth[chosen], predicted[chosen], 3) for chosen in rows])
    cells = confusion(truth, predicted, 3)
    by_cells = np.concatenate(list(resampled(cells, resamples=draws, seed=3)))
    found = scores(cells, METRICS, level=0.95, resamples=draws, seed=3)
    for metric in METRICS:
        one, other = metric.of_cells(by_rows), metric.of_cells(by_cells)
        assert ks_2samp(one, other).pvalue > 0.001
        # The standard error of an estimated 2.5 % point of 10,000 draws is 0.027 standard deviations.
        tolerance = 0.12 * one.std() + 1 / 200 / 3
        low, high = np.quantile(one, [0.025, 0.975])
        assert found[metric.use].low == pytest.approx(low, abs=tolerance)
        assert found[metric.use].high == pytest.approx(high, abs=tolerance)
        assert found[metric.use].value == float(metric.of_cells(cells))
        assert found[metric.use].n == 200


def test_intervals_cover_as_often_as_they_say() -> None:
    random = np.random.default_rng(4)
    held = 0
    for seed in range(400):
        hits = random.binomial(300, 0.8)
        cells = np.array([[hits, 300 - hits], [0, 0]])
        score = scores(cells, [Accuracy()], level=0.9, resamples=500, seed=seed)["accuracy"]
        held += score.low <= 0.8 <= score.high
    assert 0.85 <= held / 400 <= 0.95


def test_pieces_do_not_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = confusion(*answers(100, 4, 0.6, seed=5), 4)
    whole = np.concatenate(list(resampled(cells, resamples=101, seed=6)))
    monkeypatch.setattr(intervals, "PIECE_BYTES", 1000)
    cut = list(resampled(cells, resamples=101, seed=6))
    assert len(cut) > 10
    assert (np.concatenate(cut) == whole).all()
    assert (whole.sum((1, 2)) == 100).all()


def test_seed_decides() -> None:
    cells = confusion(*answers(100, 3, 0.6, seed=7), 3)
    a, b, c = (scores(cells, METRICS, level=0.95, resamples=500, seed=seed) for seed in (1, 1, 2))
    assert a == b != c


def test_a_higher_level_is_wider() -> None:
    cells = confusion(*answers(100, 3, 0.6, seed=7), 3)
    narrow, wide = (scores(cells, METRICS, level=level, resamples=2000, seed=1)["macro_f1"] for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_classes_are_scikit_learns() -> None:
    truth, predicted = answers(300, 4, 0.5, seed=8)
    predicted = np.where(predicted == 0, 1, predicted)  # label 0 is never predicted, label 4 never occurs
    found = class_scores(confusion(truth, predicted, 5), list("abcde"), level=0.95, resamples=200, seed=1)
    expected = precision_recall_fscore_support(truth, predicted, labels=range(5), zero_division=0)
    for i, label in enumerate("abcde"):
        one = found[label]
        values = (one.precision.value, one.recall.value, one.f1.value, one.support)
        assert values == pytest.approx(tuple(column[i] for column in expected), abs=1e-12)
        assert one.precision.n == (predicted == i).sum()
        assert one.recall.n == one.support == (truth == i).sum()
        assert one.f1.n == ((predicted == i) | (truth == i)).sum()


def test_class_intervals_are_those_of_the_whole_matrix() -> None:
    cells = confusion(*answers(300, 3, 0.6, seed=9), 3)
    found = class_scores(cells, list("abc"), level=0.95, resamples=10_000, seed=1)
    drawn = np.concatenate(list(resampled(cells, resamples=10_000, seed=2)))
    hits = np.diagonal(drawn, axis1=1, axis2=2)
    for i, label in enumerate("abc"):
        for name, values in (
            ("precision", hits[:, i] / drawn.sum(1)[:, i]),
            ("recall", hits[:, i] / drawn.sum(2)[:, i]),
            ("f1", 2 * hits[:, i] / (drawn.sum(1) + drawn.sum(2))[:, i]),
        ):
            score = getattr(found[label], name)
            low, high = np.quantile(values, [0.025, 0.975])
            assert (score.low, score.high) == pytest.approx((low, high), abs=0.15 * values.std())


def test_many_labels_stay_within_memory() -> None:
    cells = confusion(*answers(5000, 300, 0.8, seed=10), 300)
    tracemalloc.start()
    scores(cells, METRICS, level=0.95, resamples=500, seed=1)  # 360 MB if drawn at once
    class_scores(cells, [str(i) for i in range(300)], level=0.95, resamples=500, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6


@pytest.mark.parametrize("n", [3, 40, 5000])
def test_a_perfect_score_on_few_rows_is_not_certain(n: int) -> None:
    """For accuracy the bound is that of Clopper and Pearson, as SciPy computes it."""
    from scipy.stats import binomtest

    exact = binomtest(n, n).proportion_ci(0.95).low
    how = {"level": 0.95, "resamples": 200, "seed": 1}
    perfect = np.diag([n - n // 3, n // 3])
    found = scores(perfect, [Accuracy(), MacroF1()], **how)
    assert found["accuracy"].low == pytest.approx(exact)
    assert found["accuracy"].high == found["macro_f1"].high == 1
    assert found["macro_f1"].low < 1
    classes = class_scores(perfect, ["a", "b"], **how)
    assert classes["b"].recall.low == pytest.approx(binomtest(n // 3, n // 3).proportion_ci(0.95).low)
    assert classes["b"].f1.low < 1
    wrong = scores(perfect[::-1], [Accuracy()], **how)["accuracy"]
    assert (wrong.value, wrong.low) == (0, 0) and wrong.high == pytest.approx(1 - exact)


# Metrics of probabilities, on resampled rows


def believed(rows: int, labels: int, sure: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from probabilities that are right where `sure` is 1, and too near 0 and 1 where it is more."""
    random = np.random.default_rng(seed)
    scores = 1.5 * random.normal(size=(rows, labels))
    right = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    truth = (random.random((rows, 1)) > right.cumsum(1)).sum(1).clip(0, labels - 1)
    said = np.exp(sure * scores)
    return truth, said / said.sum(1, keepdims=True)


def test_weights_are_resamples() -> None:
    drawn = np.concatenate(list(drawing.weights(50, 4_000, seed=1)))
    assert drawn.shape == (4_000, 50)
    assert (drawn.sum(1) == 50).all()
    by_numpy = np.random.default_rng(2).multinomial(50, np.full(50, 1 / 50), size=4_000)
    assert ks_2samp(drawn[:, 7], by_numpy[:, 7]).pvalue > 1e-3
    assert np.corrcoef(drawn[:, 3], drawn[:, 4])[0, 1] == pytest.approx(-1 / 49, abs=5 / 4_000**0.5)
    assert (np.concatenate(list(drawing.weights(50, 4_000, seed=1))) == drawn).all()


def test_pieces_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_KEPT_BYTES", 0)
    monkeypatch.setattr(drawing, "_PIECE_BYTES", 700)
    found = list(drawing.weights(100, 45, seed=1))
    assert [len(one) for one in found] == [7, 7, 7, 7, 7, 7, 3]
    assert all((one.sum(1) == 100).all() for one in found)


def test_large_splits_get_fewer_resamples_and_never_too_few() -> None:
    assert drawing.affordable(300, 3, 10_000) == 10_000
    assert drawing.affordable(4_000, 2, 10_000) == 2_500
    assert drawing.affordable(10**7, 100, 10_000) == 1_000
    assert drawing.affordable(10**7, 100, 200) == 200


@pytest.mark.parametrize("metric", [RocAuc(), AveragePrecision(), LogLoss()], ids=lambda metric: metric.use)
def test_row_intervals_are_those_of_a_plain_bootstrap(metric: ProbabilityMetric) -> None:
    truth, probabilities = believed(120, 3, 1.0, seed=1)
    score = row_scores(truth, probabilities, [metric], level=0.9, resamples=4_000, seed=1)[metric.use].score
    random = np.random.default_rng(9)
    once = np.ones((1, 120), dtype=np.uint8)
    plain = []
    for _ in range(1_000):
        rows = random.integers(0, 120, 120)
        plain.append(metric.of_rows(truth[rows], probabilities[rows], once)[0])
    low, high = np.quantile(plain, [0.05, 0.95])
    assert (score.low, score.high) == pytest.approx((low, high), abs=0.2 * np.std(plain))
    assert score.low < score.value < score.high


@pytest.mark.parametrize(("metric", "least"), [(RocAuc(), 0.88), (LogLoss(), 0.88), (ExpectedCalibrationError(), 0.8)])
def test_row_intervals_cover(metric: ProbabilityMetric, least: float) -> None:
    """Nominal 95 %; 120 trials at true 95 % stay above 88 % with probability 0.999."""
    truth, probabilities = believed(200_000, 3, 1.6, seed=1)
    true = float(metric.of_rows(truth, probabilities, np.ones((1, truth.size), dtype=np.uint8))[0])
    inside = 0
    for seed in range(120):
        how = {"level": 0.95, "resamples": 300, "seed": seed}
        score = row_scores(*believed(300, 3, 1.6, seed=100 + seed), [metric], **how)[metric.use].score
        inside += score.low <= true <= score.high
    assert inside / 120 >= least


@pytest.mark.parametrize("n", [4, 60])
def test_a_perfect_order_of_few_rows_is_not_certain(n: int) -> None:
    from scipy.stats import binomtest

    truth = np.arange(n) % 2
    sure = np.where(truth == 1, 0.9, 0.2)
    found = row_scores(
        truth, np.stack([1 - sure, sure], axis=1), [RocAuc(), AveragePrecision()], level=0.95, resamples=200, seed=1
    )
    assert found["roc_auc"].score.low == pytest.approx(binomtest(n // 2, n // 2).proportion_ci(0.95).low)
    assert found["average_precision"].score.low == pytest.approx(found["roc_auc"].score.low)
    assert found["roc_auc"].score.high == found["average_precision"].score.high == 1
    backwards = row_scores(1 - truth, np.stack([1 - sure, sure], axis=1), [RocAuc()], level=0.95, resamples=200, seed=1)
    assert backwards["roc_auc"].score.low == 0 < backwards["roc_auc"].score.high


def test_the_interval_of_what_chance_adds_to_is_reflected() -> None:
    truth, probabilities = believed(400, 3, 1.0, seed=3)
    found = row_scores(truth, probabilities, [ExpectedCalibrationError()], level=0.95, resamples=500, seed=1)
    one = found["expected_calibration_error"]
    assert one.values.mean() > one.score.value  # what a percentile interval would make of it
    assert 0 <= one.score.low < one.score.value <= one.score.high < np.quantile(one.values, 0.975)


def test_many_rows_stay_within_memory() -> None:
    truth, probabilities = believed(100_000, 2, 1.0, seed=3)
    tracemalloc.start()
    row_scores(truth, probabilities, [RocAuc(), LogLoss()], level=0.95, resamples=400, seed=1)  # 320 MB at once
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160e6
