"""Rows of a group share an error: what resamples rows is far too sure, what resamples groups is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seedbed.core.metric import Metric
from seedbed.core.run import Comparison
from seedbed.core.task import TextClassification
from seedbed.evaluate import Accuracy, MacroF1, Mae, Rmse, RocAuc
from seedbed.evaluate.belonging import Belonging
from seedbed.evaluate.distances import distances
from seedbed.evaluate.drawing import swaps, weights
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.groups import Units, as_of_groups, grouped, some_groups
from seedbed.evaluate.intervals import class_scores, confusion, row_scores, scores, units_of, unseen_share
from seedbed.evaluate.judge import judge
from seedbed.evaluate.paired import Answers, compare
from seedbed.evaluate.slices import Grouping, judge_slices

GROUPS, SIZE = 60, 6
CODES = np.repeat(np.arange(GROUPS), SIZE)
#: Draws of planted data. Of 60 groups, percentile intervals hold the truth in 91 to 94 % of 600 draws instead of 95 %:
#: then 250 draws give more than 86 % with a probability above 0.99.
TRIALS = 250
HOW: dict[str, Any] = {"level": 0.95, "resamples": 200}


def labels(seed: int, right: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answers of two labels: groups are right about all of their rows or about none, but for a few rows."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, GROUPS * SIZE)
    good = np.repeat(random.random(GROUPS) < right, SIZE) ^ (random.random(GROUPS * SIZE) < 0.05)
    return truth, np.where(good, truth, 1 - truth)


def numbers(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answers: rows of a group are off by the same, and each by something of its own."""
    random = np.random.default_rng(seed)
    off = np.repeat(random.normal(size=GROUPS), SIZE) + 0.3 * random.normal(size=GROUPS * SIZE)
    truth = random.normal(size=GROUPS * SIZE)
    return truth, (truth + off)[:, None]


@pytest.mark.parametrize("groups", [None, CODES], ids=["rows", "groups"])
def test_intervals_hold_what_they_promise_where_groups_are_resampled(groups: np.ndarray | None) -> None:
    held = {"accuracy": 0, "rmse": 0, "mean error": 0}
    for seed in range(TRIALS):
        truth, predicted = labels(seed)
        units = units_of(truth, predicted, 2, groups)
        found = scores(confusion(truth, predicted, 2), [Accuracy()], seed=seed, units=units, **HOW)["accuracy"]
        held["accuracy"] += found.low <= 0.05 + 0.7 * 0.9 <= found.high
        truth, answers = numbers(seed)
        found = row_scores(truth, answers, [Rmse()], seed=seed, groups=groups, **HOW)["rmse"].score
        held["rmse"] += found.low <= np.sqrt(1.09) <= found.high
        parts = np.zeros(len(truth), dtype=np.int64)
        bias = distances(truth, answers[:, 0], parts, seed=seed, groups=groups, **HOW).bias
        held["mean error"] += bias.low <= 0 <= bias.high
    for share in (count / TRIALS for count in held.values()):
        assert share < 0.75 if groups is None else 0.86 < share < 0.99


@pytest.mark.parametrize("groups", [None, CODES], ids=["rows", "groups"])
@pytest.mark.parametrize("of", ["labels", "numbers"])
def test_equal_models_raise_as_few_false_alarms_as_promised(of: str, groups: np.ndarray | None) -> None:
    found: list[Comparison] = []
    for seed in range(TRIALS):
        if of == "labels":
            truth, first = labels(seed)
            random = np.random.default_rng([seed, 1])
            good = np.repeat(random.random(GROUPS) < 0.7, SIZE) ^ (random.random(len(truth)) < 0.05)
            second = np.where(good, truth, 1 - truth)
            told = [np.eye(2)[one] for one in (first, second)]
            metric: Metric = Accuracy()
        else:
            truth, one = numbers(seed)
            told, metric = [one, numbers(seed + TRIALS)[1] - numbers(seed + TRIALS)[0][:, None] + truth[:, None]], Mae()
        a, b = (Answers(name, one) for name, one in zip("ab", told, strict=True))
        one_found = compare(truth, a, b, metric, split="test", seed=seed, groups=groups, **HOW)
        assert one_found is not None
        found.append(one_found)
    alarms = sum(one.p < 0.05 for one in found) / TRIALS
    outside = sum(not one.low <= 0 <= one.high for one in found) / TRIALS
    if groups is None:
        assert alarms > 0.2 and outside > 0.2
        return
    assert 0.015 < alarms < 0.09 and outside < 0.11
    assert {one.groups for one in found} == {GROUPS}
    mcnemar = [one.mcnemar for one in found if one.mcnemar is not None]
    assert len(mcnemar) == (TRIALS if of == "labels" else 0)
    assert sum(p < 0.05 for p in mcnemar) <= 0.09 * TRIALS


def test_where_every_row_is_its_own_group_nothing_changes() -> None:
    truth, predicted = labels(3)
    answers = np.eye(2)[predicted]
    assert grouped(np.arange(40)[::-1]) is None and grouped(np.zeros(40)) is None and grouped(None) is None
    form = form_of(TextClassification(text="text", label="label", labels=("a", "b")))
    metrics = [Accuracy(), MacroF1(), RocAuc()]
    plain = judge(form, truth, answers, metrics, resamples=500)
    same = judge(form, truth, answers, metrics, resamples=500, groups=grouped(np.arange(len(truth)) * 7))
    assert plain.scores == same.scores and plain.details == same.details


def test_a_resample_holds_whole_groups() -> None:
    ids = np.array(["b", "a", "b", "c", "a", "b"])
    codes = grouped(ids)
    assert codes is not None and codes.tolist() == [1, 0, 1, 2, 0, 1]
    assert some_groups(codes, np.array([0, 2, 5])) is None  # one group: only its rows are left to resample
    drawn = np.concatenate(list(weights(6, 400, 1, codes)))
    assert drawn.shape == (400, 6)
    assert (drawn[:, [0, 2, 5]] == drawn[:, [0]]).all() and (drawn[:, 1] == drawn[:, 4]).all()
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()
    for first, second in swaps(6, 50, 1, codes):
        assert (first[:, [0, 2, 5]] == first[:, [0]]).all() and (first[:, :6] + second[:, :6] == 1).all()


def test_kinds_of_groups_are_drawn_as_groups_would_be() -> None:
    random = np.random.default_rng(5)
    groups = np.sort(random.integers(0, 40, 200))
    groups = np.unique(groups, return_inverse=True)[1]
    cell = random.integers(0, 3, 200)
    cell[groups < 10] = 0
    counts = np.bincount(cell)
    units = Units.of(cell, counts, groups)
    assert units.counts.sum() == groups.max() + 1 and (units.counts @ units.cells == counts).all()
    rows = np.stack([np.bincount(cell[groups == group], minlength=3) for group in range(groups.max() + 1)])
    assert {tuple(row) for row in units.cells.toarray()} == {tuple(row) for row in rows}
    by_kind = units.resampled(np.random.default_rng(1), 20_000)
    by_group = np.concatenate(list(weights(len(rows), 20_000, 2))).astype(float) @ rows
    assert np.allclose(by_kind.mean(0), by_group.mean(0), rtol=0.02)
    assert np.allclose(np.cov(by_kind.T), np.cov(by_group.T), rtol=0.1, atol=3)
    moved = units.exchanged(np.random.default_rng(1), 5_000)
    assert np.allclose(moved.mean(0), counts / 2, rtol=0.02)


def test_scores_of_labels_and_bounds_know_the_groups() -> None:
    truth, predicted = labels(1)
    cells, units = confusion(truth, predicted, 2), units_of(truth, predicted, 2, CODES)
    by_row, by_group = (class_scores(cells, ["a", "b"], seed=1, units=one, **HOW) for one in (None, units))
    for label in "ab":
        wide, narrow = by_group[label].recall, by_row[label].recall
        assert wide.value == narrow.value and wide.high - wide.low > 1.4 * (narrow.high - narrow.low)
    # No mistake at all: what may not show is bounded by the groups, of which there are fewer.
    right = confusion(truth, truth, 2)
    [perfect] = scores(right, [Accuracy()], seed=1, units=units_of(truth, truth, 2, CODES), **HOW).values()
    assert perfect.low == pytest.approx(1 - unseen_share(GROUPS, 0.95))
    assert unseen_share(len(truth), as_of_groups(0.95, CODES)) == pytest.approx(unseen_share(GROUPS, 0.95))


def slice_of(inside: np.ndarray) -> Grouping:
    return Grouping("side", ("out", "in"), inside.astype(np.int64))


@pytest.mark.parametrize("groups", [None, CODES], ids=["rows", "groups"])
@pytest.mark.parametrize("of", ["labels", "numbers"])
@pytest.mark.parametrize("lies", ["whole", "mixed"])
def test_slices_that_mean_nothing_are_rarely_called_bad(of: str, lies: str, groups: np.ndarray | None) -> None:
    """Groups wholly in a slice or beside it; or every third group, and half of the rows of another third."""
    worse, outside, trials = 0, 0, 200
    for seed in range(trials):
        random = np.random.default_rng([seed, 7])
        inside = np.repeat(random.permutation(GROUPS) % 3 == 0, SIZE)
        if lies == "mixed":
            inside |= np.repeat(random.permutation(GROUPS) % 3 == 1, SIZE) & (np.arange(len(inside)) % 2 == 0)
        truth, told = labels(seed) if of == "labels" else numbers(seed)
        answers, metric = (np.eye(2)[told], Accuracy()) if of == "labels" else (told, Mae())
        found = judge_slices(truth, answers, [slice_of(inside)], metric, resamples=200, seed=seed, groups=groups)
        assert found[1].p is not None and found[1].low is not None and found[1].high is not None
        worse += found[1].p < 0.1  # two slices, Holm's correction
        outside += not found[1].low <= 0 <= found[1].high
    if groups is None:
        assert worse / trials > (0.15 if lies == "mixed" else 0.25)
    else:
        assert worse / trials < 0.1 and outside / trials < 0.12


def test_a_bad_slice_of_groups_is_found_and_too_few_groups_say_nothing() -> None:
    truth, told = labels(1, right=0.9)
    bad = np.repeat(np.arange(GROUPS) % 2 == 0, SIZE)
    told = np.where(bad & (np.arange(len(truth)) % 3 > 0), 1 - truth, told)
    found = judge_slices(truth, np.eye(2)[told], [slice_of(bad)], Accuracy(), resamples=500, groups=CODES)
    assert found[1].verdict == "worse" and found[1].high is not None and found[1].high < 0
    few = CODES < 9
    found = judge_slices(truth, np.eye(2)[told], [slice_of(few)], Accuracy(), resamples=500, groups=CODES)
    assert [one.p for one in found] == [None, None]
    only = CODES == 4
    found = judge_slices(truth, np.eye(2)[told], [slice_of(only)], Accuracy(), resamples=500, groups=CODES)
    assert found[1].score.n == SIZE and found[1].score.low < found[1].score.high


def test_belonging_is_permuted_by_whole_groups_and_within_them() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2, 2, 2, 3, 4])
    inside = np.array([1, 1, 0, 0, 1, 0, 1, 0, 0, 1], dtype=np.bool_)
    strata = np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1])
    member = Belonging.of(inside, groups, strata).permuted(np.random.default_rng(1), 500)
    assert (member[:, 0] == member[:, 1]).all() and (member[:, 2] == member[:, 3]).all()
    assert (member[:, 0] + member[:, 2] == 1).all()  # mostly of stratum 0, the first of equals
    assert (member[:, [4, 5]].sum(axis=1) == 1).all() and (member[:, [6, 7]].sum(axis=1) == 1).all()
    assert (member[:, [8, 9]].sum(axis=1) == 1).all()
    assert ((member.mean(axis=0) > 0.4) & (member.mean(axis=0) < 0.6)).all()


def test_models_that_say_the_same_do_not_differ() -> None:
    truth, predicted = labels(2)
    a, b = (Answers(name, np.eye(2)[predicted]) for name in "ab")
    found = compare(truth, a, b, MacroF1(), split="test", resamples=100, groups=CODES)
    assert found is not None and (found.difference, found.low, found.high, found.p, found.mcnemar) == (0, 0, 0, 1, 1)
