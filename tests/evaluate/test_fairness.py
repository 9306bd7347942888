from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from seedbed.core.scrutiny import Fairness
from seedbed.evaluate.fairness import fairness_of_labels, fairness_of_numbers, labellings
from seedbed.evaluate.slices import Grouping

LABELS = ("no", "yes")
GROUPS = ("x", "y", "z")


def rows(count: int, seed: int, hit: dict[int, float] | None = None) -> tuple[np.ndarray, np.ndarray, Grouping]:
    """A third of the rows are `yes`; of those, four in five are found, in each group or as `hit` says."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 3, count)
    truth = (random.random(count) < 0.33).astype(np.int64)
    found = np.array([(hit or {}).get(code, 0.8) for code in codes.tolist()])
    decided = (random.random(count) < np.where(truth, found, 0.1)).astype(np.int64)
    return truth, decided, Grouping("group", GROUPS, codes)


def told(truth: np.ndarray, decided: np.ndarray, grouping: Grouping, seed: int = 13) -> Fairness:
    looked_at = labellings(truth, decided, LABELS)
    (found,) = fairness_of_labels(looked_at, [grouping], model="m", split="test", seed=seed)
    return found


def test_rates_and_gaps_are_those_of_their_definitions() -> None:
    truth, decided, grouping = rows(900, 1, {2: 0.5})
    found = told(truth, decided, grouping)
    codes = grouping.codes
    selected = [decided[codes == code].mean() for code in range(3)]
    hits = [decided[(codes == code) & (truth == 1)].mean() for code in range(3)]
    alarms = [decided[(codes == code) & (truth == 0)].mean() for code in range(3)]
    for code, group in enumerate(found.groups):
        rates = {rate.measure: rate for rate in group.rates}
        assert rates["selection rate"].score.value == selected[code]
        assert rates["true positive rate"].score.value == hits[code]
        assert rates["false positive rate"].score.value == alarms[code]
        assert {rate.label for rate in group.rates} == {"yes"}
    gaps = {gap.measure: gap.value for gap in found.gaps}
    assert gaps["demographic parity difference"] == pytest.approx(np.ptp(selected))
    assert gaps["equal opportunity difference"] == pytest.approx(np.ptp(hits))
    assert gaps["equalized odds difference"] == pytest.approx(max(np.ptp(hits), np.ptp(alarms)))


def test_a_rate_is_compared_with_all_other_rows_by_fishers_test() -> None:
    truth, decided, grouping = rows(600, 2, {0: 0.4})
    rate = told(truth, decided, grouping).groups[0].rates[1]
    inside = grouping.codes == 0
    table = [[int((side & (truth == 1) & (decided == given)).sum()) for given in (1, 0)] for side in (inside, ~inside)]
    assert rate.difference is not None
    assert rate.difference.p == pytest.approx(fisher_exact(table).pvalue)
    assert rate.difference.low < rate.difference.value < rate.difference.high < 0
    assert rate.differs


def test_a_group_that_is_wronged_is_found() -> None:
    found = [told(*rows(900, seed, {2: 0.5}), seed=seed) for seed in range(20)]
    gaps = [{gap.measure: gap for gap in one.gaps} for one in found]
    assert sum(one["equal opportunity difference"].differs for one in gaps) >= 18
    assert all(
        one["equal opportunity difference"].value > one["equal opportunity difference"].by_chance for one in gaps
    )
    held = [one["equal opportunity difference"].low <= 0.3 <= one["equal opportunity difference"].high for one in gaps]
    assert sum(held) >= 16


def test_groups_that_do_not_matter_are_seldom_called_unequal() -> None:
    found = [told(*rows(400, seed), seed=seed) for seed in range(150)]
    wrong = [any(gap.differs for gap in one.gaps) for one in found]
    assert np.mean(wrong) < 0.09  # 150 trials at 5 % or below
    called = [any(rate.differs for group in one.groups for rate in group.rates) for one in found]
    assert np.mean(called) < 0.09
    # By chance alone the largest and the smallest share are apart, and that is told.
    dp = [one.gaps[0] for one in found]
    assert np.mean([gap.value for gap in dp]) == pytest.approx(np.mean([gap.by_chance for gap in dp]), rel=0.15)
    assert 0.4 < np.mean([gap.p < 0.5 for gap in dp]) < 0.6


def test_small_groups_are_warned_of_and_not_compared() -> None:
    truth, decided, grouping = rows(300, 3)
    few = np.flatnonzero(grouping.codes == 2)[8:]
    codes = grouping.codes.copy()
    codes[few] = 0
    found = told(truth, decided, Grouping("group", GROUPS, codes))
    assert found.groups[2].small and found.groups[2].rows == 8
    assert all(rate.difference is None for rate in found.groups[2].rates)
    assert "z (8)" in found.warnings[0]
    lonely = told(truth, decided, Grouping("group", GROUPS, np.where(codes == 2, 2, 0)))
    assert lonely.gaps == ()
    assert any("no two groups" in warning for warning in lonely.warnings)


def test_labels_that_are_looked_at() -> None:
    truth, decided, _ = rows(300, 4)
    assert [one.label for one in labellings(truth, decided, LABELS)] == ["yes"]
    assert [one.label for one in labellings(truth, decided, LABELS, "no")] == ["no"]
    several = np.arange(300) % 12
    looked_at = labellings(several, several, tuple("abcdefghijkl"))
    assert len(looked_at) == 10
    held = np.eye(3, dtype=bool)[np.arange(300) % 3]
    assert [one.label for one in labellings(held, held, ("a", "b", "c"))] == ["a", "b", "c"]


def numbers(seed: int, shift: float) -> Fairness:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 2, 300)
    truth = random.normal(50, 10, 300)
    answers = truth + random.normal(0, 3, 300) - shift * (codes == 1)
    grouping = Grouping("group", ("x", "y"), codes)
    (found,) = fairness_of_numbers(truth, answers[:, None], [grouping], model="m", split="test", seed=seed)
    return found


def test_numbers_that_are_too_low_for_a_group_are_found() -> None:
    found = numbers(1, shift=2.0)
    y = {rate.measure: rate for rate in found.groups[1].rates}
    assert y["mean error"].differs
    assert y["mean error"].difference is not None
    assert y["mean error"].difference.low < -2.0 < y["mean error"].difference.high
    assert {gap.measure for gap in found.gaps} == {"mean error difference", "mean absolute error difference"}
    assert next(gap for gap in found.gaps if gap.measure == "mean error difference").differs


def test_numbers_that_are_fair_are_seldom_called_unfair() -> None:
    wrong = [any(gap.differs for gap in numbers(seed, shift=0.0).gaps) for seed in range(40)]
    assert sum(wrong) <= 6  # 40 trials at 5 % or below
