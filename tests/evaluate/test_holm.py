from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.run import Comparison
from seedbed.core.statistics.holm import holm
from seedbed.evaluate import Accuracy, LogLoss
from seedbed.evaluate.holm import verdict, with_holm

chances = st.lists(st.floats(0, 1), max_size=12)


@given(chances)
def test_holm_is_the_step_down_of_his_paper(found: list[float]) -> None:
    """Reject from the smallest up while p * (questions left) is below alpha: the same answers at every alpha."""
    corrected = holm(found)
    for alpha in (0.01, 0.05, 0.2):
        rejected = set()
        for step, place in enumerate(sorted(range(len(found)), key=found.__getitem__)):
            if found[place] * (len(found) - step) > alpha:
                break
            rejected.add(place)
        assert {place for place, p in enumerate(corrected) if p <= alpha} == rejected


@given(chances)
def test_holm_lies_between_none_and_bonferroni(found: list[float]) -> None:
    assert all(
        p <= corrected <= min(1.0, p * len(found)) + 1e-12 for p, corrected in zip(found, holm(found), strict=True)
    )


def test_known_values() -> None:
    """By hand, and what R's p.adjust(method = "holm") gives."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_many_true_nulls_raise_few_alarms() -> None:
    random = np.random.default_rng(1)
    alarms = [min(holm(random.random(9).tolist())) < 0.05 for _ in range(2_000)]
    assert 0.03 < np.mean(alarms) < 0.07


def comparison(metric: str, p: float, difference: float = 0.1) -> Comparison:
    low, high = sorted((difference * 0.5, difference * 1.5))
    return Comparison(
        a="a", b="b", split="test", metric=metric, difference=difference, low=low, high=high, p=p, mcnemar=1, n=9,
        verdict="better",
    )  # fmt: skip


def test_metrics_are_corrected_each_by_itself_and_verdicts_follow() -> None:
    found = with_holm(
        [comparison("accuracy", 0.02), comparison("log_loss", 0.04, -0.1), comparison("accuracy", 0.03)],
        [Accuracy(), LogLoss()],
        0.95,
    )
    assert [one.p_holm for one in found] == pytest.approx([0.04, 0.04, 0.04])
    assert [one.verdict for one in found] == ["better", "better", "better"]
    found = with_holm([comparison("accuracy", p) for p in (0.02, 0.04, 0.03)], [Accuracy()], 0.95)
    assert [one.p_holm for one in found] == pytest.approx([0.06, 0.06, 0.06])
    assert {one.verdict for one in found} == {"not distinguishable"}


def test_verdict_needs_both() -> None:
    assert verdict(0.1, 0.01, 0.2, 0.01, 0.95) == "better"
    assert verdict(-0.1, -0.2, -0.01, 0.01, 0.95) == "worse"
    assert verdict(0.1, -0.01, 0.2, 0.01, 0.95) == "not distinguishable"
    assert verdict(0.1, 0.01, 0.2, 0.06, 0.95) == "not distinguishable"
