from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import precision_recall_fscore_support

from seedbed.evaluate import Accuracy, BalancedAccuracy, MacroF1, intervals
from seedbed.evaluate.intervals import class_scores, confusion, resampled, scores

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
