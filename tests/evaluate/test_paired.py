from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test
from sklearn.metrics import f1_score, roc_auc_score

from seedbed.core.metric import DecisionMetric, Metric
from seedbed.core.run import Comparison
from seedbed.evaluate import Accuracy, LogLoss, MacroF1, RocAuc
from seedbed.evaluate.intervals import confusion, row_scores
from seedbed.evaluate.paired import Answers, compare, mcnemar


def guesses(truth: np.ndarray, labels: int, right: float, random: np.random.Generator) -> np.ndarray:
    return np.where(random.random(truth.size) < right, truth, random.integers(0, labels, truth.size))


def case(rows: int, labels: int, a: float, b: float, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, labels, rows)
    return truth, {"a": guesses(truth, labels, a, random), "b": guesses(truth, labels, b, random)}


def compared(
    truth: np.ndarray, answers: dict[str, np.ndarray], labels: int, metric: Metric | None = None, **more: int
) -> Comparison:
    a, b = (Answers(name, np.eye(labels)[decided]) for name, decided in answers.items())
    found = compare(truth, a, b, metric or MacroF1(), split="test", **more)
    assert found is not None
    return found


@pytest.mark.parametrize("metric", [Accuracy(), MacroF1()], ids=lambda metric: metric.use)
def test_equal_models_raise_few_false_alarms(metric: Metric) -> None:
    found = [compared(*case(150, 3, 0.7, 0.7, seed), 3, metric, resamples=400, seed=seed) for seed in range(400)]
    # 400 trials at 5 %: the share lies below 8.5 % with probability 0.999.
    assert sum(one.p < 0.05 for one in found) / 400 < 0.085
    assert sum(one.verdict != "not distinguishable" for one in found) / 400 < 0.085
    # The test is not merely timid: p is spread as it should be.
    assert 0.4 < sum(one.p < 0.5 for one in found) / 400 < 0.6


def test_a_real_difference_is_found() -> None:
    found = compared(*case(2000, 3, 0.70, 0.80, seed=1), 3)
    assert found.verdict == "better"
    assert 0 < found.low < found.difference < found.high
    assert found.p < 0.001
    assert found.mcnemar < 0.001
    assert (found.a, found.b, found.split, found.metric, found.n) == ("a", "b", "test", "macro_f1", 2000)


def test_exchanged_models_mirror_the_answer() -> None:
    truth, answers = case(500, 3, 0.70, 0.80, seed=2)
    forth = compared(truth, answers, 3)
    back = compared(truth, {"b": answers["b"], "a": answers["a"]}, 3)
    assert back.difference == -forth.difference
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=0.005)
    assert back.mcnemar == forth.mcnemar
    assert (forth.verdict, back.verdict) == ("better", "worse")


def test_same_answers_cannot_be_told_apart() -> None:
    truth, answers = case(100, 3, 0.7, 0.7, seed=3)
    found = compared(truth, {"a": answers["a"], "b": answers["a"]}, 3)
    assert (found.difference, found.low, found.high, found.p, found.mcnemar) == (0, 0, 0, 1, 1)
    assert found.verdict == "not distinguishable"


def test_one_row() -> None:
    found = compared(np.array([1]), {"a": np.array([0]), "b": np.array([1])}, 2)
    assert found.difference == 1
    assert found.p == 1
    assert found.verdict == "not distinguishable"


def test_agrees_with_scipy() -> None:
    truth, answers = case(120, 3, 0.62, 0.72, seed=4)
    a, b = answers["a"], answers["b"]

    def difference(a: np.ndarray, b: np.ndarray, of: np.ndarray = truth) -> float:
        metric = MacroF1()
        return float(metric.of_cells(confusion(of, b, 3)) - metric.of_cells(confusion(of, a, 3)))

    found = compared(truth, answers, 3)
    assert found.difference == pytest.approx(f1_score(truth, b, average="macro") - f1_score(truth, a, average="macro"))
    theirs = permutation_test(
        (a, b), difference, permutation_type="samples", n_resamples=10_000, rng=np.random.default_rng(5)
    )
    assert 0.02 < found.p < 0.9
    assert found.p == pytest.approx(theirs.pvalue, abs=5 * math.sqrt(2 * found.p * (1 - found.p) / 10_000))
    interval = bootstrap(
        (a, b, truth),
        difference,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=10_000,
        rng=np.random.default_rng(6),
    )
    tolerance = 0.12 * interval.standard_error + 1 / 120 / 3
    assert found.low == pytest.approx(interval.confidence_interval.low, abs=tolerance)
    assert found.high == pytest.approx(interval.confidence_interval.high, abs=tolerance)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 9), (9, 3), (5, 5), (40, 60)])
def test_mcnemar_is_the_exact_binomial(only_a: int, only_b: int) -> None:
    n, fewer = only_a + only_b, min(only_a, only_b)
    expected = min(1.0, 2 * sum(math.comb(n, i) for i in range(fewer + 1)) / 2**n)
    assert mcnemar(only_a, only_b) == pytest.approx(expected)


def test_mcnemar_counts_rows_one_model_got_right() -> None:
    truth = np.zeros(12, dtype=np.int64)
    a, b = np.ones(12, dtype=np.int64), np.zeros(12, dtype=np.int64)
    a[0], b[0] = 0, 1  # a alone is right once, b alone 11 times
    assert compared(truth, {"a": a, "b": b}, 2).mcnemar == pytest.approx(mcnemar(1, 11))


@pytest.fixture
def error_rate() -> Iterator[Metric]:
    class ErrorRate(DecisionMetric):
        lower_is_better = True
        use: str = "error_rate_of_this_test"

        def of_cells(self, cells: np.ndarray) -> np.ndarray:
            return 1 - Accuracy().of_cells(cells)

    yield ErrorRate()
    Metric.catalogue.pop("error_rate_of_this_test")


def test_less_is_better_where_the_metric_says_so(error_rate: Metric) -> None:
    found = compared(*case(2000, 3, 0.70, 0.80, seed=1), 3, error_rate)
    assert found.difference < 0
    assert found.verdict == "better"


def test_seed_decides() -> None:
    truth, answers = case(200, 3, 0.7, 0.72, seed=7)
    one, same, other = (compared(truth, answers, 3, resamples=300, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_many_labels_stay_within_memory() -> None:
    truth, answers = case(4000, 100, 0.7, 0.72, seed=8)
    tracemalloc.start()
    found = compared(truth, answers, 100, resamples=1000)  # joint cells: 1,000,000, of which at most 4,000 are held
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6
    assert found.low < found.difference < found.high


def beliefs(truth: np.ndarray, labels: int, known: float, random: np.random.Generator) -> np.ndarray:
    scores = random.normal(size=(truth.size, labels))
    scores[np.arange(truth.size), truth] += known
    powers = np.exp(scores)
    return powers / powers.sum(1, keepdims=True)


def believed(rows: int, labels: int, a: float, b: float, seed: int) -> tuple[np.ndarray, Answers, Answers]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, labels, rows)
    return truth, Answers("a", beliefs(truth, labels, a, random)), Answers("b", beliefs(truth, labels, b, random))


def test_probabilities_agree_with_scipy() -> None:
    truth, a, b = believed(80, 2, 0.8, 1.1, seed=6)
    found = compare(truth, a, b, RocAuc(), split="test", resamples=8_000, seed=1)
    assert found is not None

    def difference(a: np.ndarray, b: np.ndarray, of: np.ndarray = truth) -> float:
        return float(roc_auc_score(of, b) - roc_auc_score(of, a))

    of_a, of_b = a.told[:, 1], b.told[:, 1]
    assert found.difference == pytest.approx(difference(of_a, of_b))
    theirs = permutation_test(
        (of_a, of_b), difference, permutation_type="samples", n_resamples=400, rng=np.random.default_rng(5)
    )
    assert 0.005 < found.p < 0.9
    assert found.p == pytest.approx(theirs.pvalue, abs=5 * math.sqrt(2 * found.p * (1 - found.p) / 400))
    interval = bootstrap(
        (of_a, of_b, truth),
        difference,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=400,
        rng=np.random.default_rng(6),
    )
    tolerance = 0.4 * interval.standard_error
    assert found.low == pytest.approx(interval.confidence_interval.low, abs=tolerance)
    assert found.high == pytest.approx(interval.confidence_interval.high, abs=tolerance)


@pytest.mark.parametrize("metric", [RocAuc(), LogLoss()], ids=lambda metric: metric.use)
def test_equal_beliefs_raise_few_false_alarms(metric: Metric) -> None:
    found = [
        compare(*believed(100, 3, 1, 1, seed), metric, split="test", resamples=200, seed=seed) for seed in range(200)
    ]
    # 200 trials at 5 %: the share lies below 10.5 % with probability 0.999.
    assert sum(one is not None and one.p < 0.05 for one in found) / 200 < 0.105
    assert 0.35 < sum(one is not None and one.p < 0.5 for one in found) / 200 < 0.65


@pytest.mark.parametrize("metric", [RocAuc(), LogLoss()], ids=lambda metric: metric.use)
def test_better_beliefs_are_found(metric: Metric) -> None:
    found = compare(*believed(1000, 3, 0.5, 1.5, seed=1), metric, split="test", resamples=300)
    assert found is not None
    assert found.verdict == "better"
    assert found.p == 1 / 301
    assert (found.difference < 0) == metric.lower_is_better


def test_known_resamples_are_taken_and_nothing_else_changes() -> None:
    truth, a, b = believed(200, 3, 0.5, 0.9, seed=1)
    how = {"level": 0.95, "resamples": 300, "seed": 4}
    known = [
        Answers(
            one.name,
            one.told,
            {"roc_auc": row_scores(truth, one.told, [RocAuc()], **how)["roc_auc"].values},
        )
        for one in (a, b)
    ]
    assert compare(truth, *known, RocAuc(), split="test", **how) == compare(truth, a, b, RocAuc(), split="test", **how)


def test_no_value_no_comparison() -> None:
    answers = [Answers(name, np.array([[0.4, 0.6], [0.5, 0.5]])) for name in "ab"]
    assert compare(np.array([1, 1]), *answers, RocAuc(), split="test", resamples=100) is None
    same = compare(np.array([0, 1]), *answers, RocAuc(), split="test", resamples=100)
    assert same is not None and (same.difference, same.p) == (0, 1)
