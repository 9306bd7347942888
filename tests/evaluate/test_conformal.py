from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta, betabinom, binom, binomtest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from seedbed.core.scrutiny import Conformal
from seedbed.evaluate.conformal import (
    corrected,
    coverage_of_intervals,
    coverage_of_label_sets,
    coverage_of_sets,
    fit_intervals,
    fit_label_sets,
    fit_sets,
    intervals,
    rank_of,
    sets,
    share,
)

LABELS = ("a", "b", "c")


def labelled(rows: int, seed: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn by a model's probabilities raised to a power: with noise 1 the model is right about itself."""
    random = np.random.default_rng(seed)
    answers = random.dirichlet([0.5, 0.5, 0.5], rows)
    real = answers**noise / (answers**noise).sum(axis=1, keepdims=True)
    truth = (random.random(rows)[:, None] > real.cumsum(axis=1)).sum(axis=1).clip(max=2)
    return truth.astype(np.int64), answers


def numbered(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of 0 to 10, ten times as far off at 10 as at 0."""
    random = np.random.default_rng(seed)
    predicted = random.uniform(0, 10, rows)
    return predicted + random.normal(0, 0.1 + 0.09 * predicted), predicted.reshape(-1, 1)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("noise", [1.0, 0.2])
def test_sets_hold_the_label_as_often_as_promised_whatever_the_model(coverage: float, noise: float) -> None:
    held = []
    for seed in range(150):
        fitted = fit_sets(*labelled(100, seed, noise), coverage, split="validation")
        assert fitted is not None
        truth, answers = labelled(400, 10_000 + seed, noise)
        held.append(sets(fitted, answers)[np.arange(400), truth].mean())
    # Over fits the coverage is Beta(rank, n + 1 - rank) or above, for the most probable label is always in.
    law = beta(fitted.rank, fitted.rows + 1 - fitted.rank)
    assert np.mean(held) > coverage - 3 * law.std() / math.sqrt(150)
    if noise < 1:  # sets are large, and nothing is in them for free
        assert np.mean(held) < law.mean() + 3 * math.hypot(law.std(), 0.02) / math.sqrt(150)


def test_the_limit_is_the_quantile_of_the_literature() -> None:
    truth, answers = labelled(237, seed=5)
    fitted = fit_sets(truth, answers, 0.9, split="validation")
    assert fitted is not None
    scores = 1 - answers[np.arange(237), truth]
    expected = np.quantile(scores, math.ceil(238 * 0.9) / 237, method="inverted_cdf")
    assert 1 - fitted.at_least == pytest.approx(expected, abs=1e-12)
    assert fitted.rank == math.ceil(238 * 0.9)


def test_too_few_rows_promise_nothing() -> None:
    assert rank_of(9, 0.9) == 9
    assert rank_of(8, 0.9) is None
    assert rank_of(99, 0.99) == 99
    assert rank_of(98, 0.99) is None
    assert fit_sets(*labelled(8, 1), 0.9, split="validation") is None
    assert fit_intervals(*numbered(8, 1), 0.9, split="validation") is None


def test_no_set_is_empty() -> None:
    fitted = Conformal(kind="sets", coverage=0.9, split="validation", rows=20, rank=19, at_least=0.99)
    assert sets(fitted, np.array([[0.4, 0.3, 0.3], [0.995, 0.005, 0.0]])).sum(axis=1).tolist() == [1, 1]
    assert sets(fitted, np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_intervals_hold_numbers_as_often_as_promised(coverage: float) -> None:
    held = []
    for seed in range(100):
        fitted = fit_intervals(*numbered(300, seed), coverage, split="validation", seed=seed)
        assert fitted is not None and fitted.rows == 150
        truth, answers = numbered(400, 10_000 + seed)
        ends = intervals(fitted, answers)
        held.append(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())
    law = beta(fitted.rank, fitted.rows + 1 - fitted.rank)
    assert abs(np.mean(held) - law.mean()) < 4 * math.hypot(law.std(), 0.02) / math.sqrt(100)


def test_intervals_are_wide_where_numbers_are_hard() -> None:
    fitted = fit_intervals(*numbered(4_000, 1), 0.9, split="validation")
    assert fitted is not None and len(fitted.difficulty) == 10
    truth, answers = numbered(4_000, 2)
    ends = intervals(fitted, answers)
    held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    width = ends[:, 1] - ends[:, 0]
    easy, hard = answers[:, 0] < 2, answers[:, 0] > 8
    assert width[hard].mean() > 3 * width[easy].mean()
    # One width for all would hold nearly all of the easy ones, and far fewer of the hard ones.
    assert abs(held[easy].mean() - 0.9) < 0.05
    assert abs(held[hard].mean() - 0.9) < 0.05


def test_few_rows_are_not_shared_and_perfect_predictions_have_no_width() -> None:
    fitted = fit_intervals(*numbered(150, 1), 0.9, split="validation")
    assert fitted is not None
    assert (fitted.rows, fitted.edges, fitted.difficulty) == (150, (), (1.0,))
    exact = np.arange(300.0)
    perfect = fit_intervals(exact, exact[:, None], 0.9, split="validation")
    assert perfect is not None and perfect.reach == 0.0
    assert intervals(perfect, exact[:, None]).tolist() == [[one, one] for one in exact]


def test_a_kept_promise_is_seldom_called_broken_and_a_broken_one_often() -> None:
    def doubted(shift: float) -> float:
        found = []
        for seed in range(200):
            fitted = fit_intervals(*numbered(120, seed), 0.9, split="validation")
            assert fitted is not None
            truth, answers = numbered(300, 50_000 + seed)
            told = coverage_of_intervals(fitted, truth + shift, answers, model="m", split="test", level=0.95)
            found.append(not told.kept)
        return float(np.mean(found))

    assert doubted(0.0) < 0.09  # 200 trials at 5 %
    assert doubted(0.8) > 0.9


def test_of_many_promises_that_are_kept_none_is_called_broken_more_often_than_of_one() -> None:
    def doubted(models: int) -> float:
        found = []
        for seed in range(150):
            told = []
            for model in range(models):
                fitted = fit_intervals(*numbered(100, 1_000 * model + seed), 0.9, split="validation")
                assert fitted is not None
                rows = numbered(150, 500_000 + 1_000 * model + seed)
                told.append(coverage_of_intervals(fitted, *rows, model=str(model), split="test", level=0.95))
            found.append((any(not one.kept for one in told), any(not one.kept for one in corrected(told, 0.95))))
        return tuple(np.mean(found, axis=0))

    alone, together = doubted(6)
    assert alone > 0.15 and together < 0.09, "without a correction one of six kept promises is doubted far too often"
    assert corrected([], 0.95) == ()


def test_what_is_told_of_sets() -> None:
    truth, answers = labelled(500, 3)
    fitted = fit_sets(*labelled(500, 4), 0.9, split="validation")
    assert fitted is not None
    told = coverage_of_sets(fitted, truth, answers, LABELS, model="m", split="test", level=0.95)
    inside = sets(fitted, answers)
    held = inside[np.arange(500), truth]
    assert told.score.value == held.mean()
    assert told.size == inside.sum(axis=1).mean()
    assert sum(told.sizes.values()) == 500
    assert {name: one.n for name, one in told.by_label.items()} == dict(
        zip(LABELS, np.bincount(truth, minlength=3).tolist(), strict=True)
    )
    assert told.by_label["b"].value == held[truth == 1].mean()
    assert Conformal.model_validate_json(fitted.model_dump_json()) == fitted


@pytest.mark.parametrize(("found", "of"), [(0, 7), (7, 7), (3, 10), (180, 200)])
def test_shares_have_the_exact_interval(found: int, of: int) -> None:
    told = share(found, of, 0.95)
    known = binomtest(found, of).proportion_ci(0.95, method="exact")
    assert (told.low, told.high) == (pytest.approx(known.low), pytest.approx(known.high))


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_promises_are_kept_on_real_data_by_models_that_are_badly_calibrated(coverage: float) -> None:
    digits, diabetes = load_digits(return_X_y=True), load_diabetes(return_X_y=True)
    held: dict[str, list[float]] = {"sets": [], "intervals": []}
    for seed in range(20):
        random = np.random.default_rng(seed)
        train, fitted_on, on = np.split(random.permutation(1_797), [400, 800])
        surest = GaussianNB().fit(digits[0][train], digits[1][train])  # sure of nearly everything, and often wrong
        told = [surest.predict_proba(digits[0][rows]) for rows in (fitted_on, on)]
        rule = fit_sets(digits[1][fitted_on], told[0], coverage, split="validation")
        assert rule is not None
        held["sets"].append(sets(rule, told[1])[np.arange(on.size), digits[1][on]].mean())
        train, fitted_on, on = np.split(random.permutation(442), [150, 300])
        ridge = Ridge().fit(diabetes[0][train], diabetes[1][train])
        numbers = [ridge.predict(diabetes[0][rows])[:, None] for rows in (fitted_on, on)]
        law = fit_intervals(diabetes[1][fitted_on], numbers[0], coverage, split="validation")
        assert law is not None
        ends = intervals(law, numbers[1])
        held["intervals"].append(((ends[:, 0] <= diabetes[1][on]) & (diabetes[1][on] <= ends[:, 1])).mean())
    assert np.mean(held["sets"]) > coverage - 0.02
    assert abs(np.mean(held["intervals"]) - coverage) < 0.03


def several(rows: int, seed: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Four labels that hang together, some rare; with noise 1 the model is right about each of them."""
    random = np.random.default_rng(seed)
    answers = 1 / (1 + np.exp(-(random.normal(0, 1.5, (rows, 1)) + random.normal([0.5, -0.5, -1.5, -3], 1, (rows, 4)))))
    real = answers**noise / (answers**noise + (1 - answers) ** noise)
    return random.random((rows, 4)) < real, answers


@pytest.mark.parametrize("coverage", [0.8, 0.95])
@pytest.mark.parametrize("noise", [1.0, 0.3])
def test_sets_hold_all_labels_of_a_row_as_often_as_promised_whatever_the_model(coverage: float, noise: float) -> None:
    trials, on = 300, 200
    held = np.zeros(trials, dtype=int)
    for seed in range(trials):
        fitted = fit_label_sets(*several(99, seed, noise), coverage, split="validation")
        assert fitted is not None and fitted.kind == "label_sets"
        truth, answers = several(on, 10_000 + seed, noise)
        held[seed] = (~(truth & ~sets(fitted, answers))).all(axis=1).sum()
    # Each trial's count is at least beta-binomial: so many of them must lie above its lower tenth, in a binomial count.
    tenth = betabinom.ppf(0.1, on, fitted.rank, fitted.rows + 1 - fitted.rank)
    low = int((held < tenth).sum())
    assert low <= binom.ppf(0.999, trials, 0.1)
    assert held.mean() / on >= coverage - 3.3 * held.std() / on / math.sqrt(trials)
    assert held.mean() / on <= coverage + 0.02, "nothing is held for free"


def test_a_row_without_labels_fits_every_set_and_a_set_may_be_empty() -> None:
    answers = np.array([[0.9, 0.2], [0.4, 0.3], [0.8, 0.7], [0.1, 0.6]] * 5)
    truth = np.array([[True, False], [False, False], [True, True], [False, True]] * 5)
    fitted = fit_label_sets(truth, answers, 0.8, split="validation")
    assert fitted is not None
    # Least probable of the right labels: 0.9, none, 0.7, 0.6, five times each; the 17th of them, from the surest on.
    assert (fitted.rank, fitted.at_least) == (17, 0.6)
    told = coverage_of_label_sets(fitted, truth, answers, ("a", "b"), model="m", split="test", level=0.95)
    assert (told.score.value, told.sizes) == (1.0, {"0": 5, "1": 10, "2": 5})
    assert told.size == 1.0
    assert {name: (one.value, one.n) for name, one in told.by_label.items()} == {"a": (1.0, 10), "b": (1.0, 10)}
    bare = fit_label_sets(np.zeros((30, 2), dtype=bool), np.full((30, 2), 0.4), 0.9, split="validation")
    assert bare is not None and bare.at_least == 1.0
    assert fit_label_sets(truth[:3], answers[:3], 0.8, split="validation") is None
    assert Conformal.model_validate_json(fitted.model_dump_json()) == fitted


def test_one_label_too_few_and_the_row_is_not_held() -> None:
    fitted = Conformal(kind="label_sets", coverage=0.9, split="validation", rows=20, rank=19, at_least=0.5)
    truth = np.array([[True, True], [True, False], [False, False]])
    answers = np.array([[0.9, 0.4], [0.9, 0.4], [0.6, 0.6]])
    told = coverage_of_label_sets(fitted, truth, answers, ("a", "b"), model="m", split="test", level=0.95)
    assert told.score.value == pytest.approx(2 / 3)
    assert told.by_label["b"].value == 0.0
