"""Verdicts that were asked for twice, with the places swapped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from seedbed.core.preference import Judged
from seedbed.evaluate.preference import Pair, Said, Twice, judged, outcome, win_rate

HOW = {"judge": "j", "split": "test", "of": 500, "metric": "chrf", "level": 0.95, "seed": 1}


def duel(said: list[Twice | None], gains: list[float] | None = None) -> Judged:
    return judged([Pair("a", "b", said, np.array(gains or [np.nan] * len(said)))], **HOW)


def by_place(quality: np.ndarray, first: float, random: np.random.Generator) -> list[Twice | None]:
    """What a judge says that looks at the place so often, and else at who is better (above 0: b)."""

    def one(b_is_better: bool, b_stands_first: bool) -> Said:
        if random.random() < first:
            return "first"
        return "first" if b_is_better == b_stands_first else "second"

    return [(one(better > 0, False), one(better > 0, True)) for better in quality]


@pytest.mark.parametrize(
    ("said", "is_"),
    [
        (("second", "first"), 1),
        (("first", "second"), -1),
        (("equal", "equal"), 0),
        (("first", "first"), 0),
        (("second", "second"), 0),
        (("equal", "first"), 0),
        (("second", "equal"), 0),
        (None, 0),
    ],
)
def test_only_a_verdict_that_stays_counts(said: Twice | None, is_: int) -> None:
    assert outcome(said) == is_


def test_what_cannot_be_read_is_left_out() -> None:
    assert math.isnan(outcome((None, "first"))) and math.isnan(outcome(("first", None)))
    (one,) = duel([("second", "first")] * 3 + [(None, "first")] * 2 + [None]).pairs
    assert (one.rows, one.wins, one.ties, one.losses, one.unread, one.same) == (4, 3, 1, 0, 2, 1)
    assert duel([(None, None)] * 9).pairs == ()


def test_an_honest_judge_finds_the_better_one() -> None:
    found = duel([("second", "first")] * 34 + [("first", "second")] * 6, [1.0] * 30 + [-1.0] * 10)
    (one,) = found.pairs
    assert (one.wins, one.losses, one.ties, one.verdict) == (34, 6, 0, "better")
    assert one.win_rate.value == pytest.approx(34 / 40)
    assert one.p == pytest.approx(binomtest(34, 40).pvalue)
    assert (one.changed.value, one.first, one.second) == (0.0, 0, 0)
    assert (found.place_p, found.goes_by_place) == (None, False)
    assert one.agrees is not None and (one.agrees.value, one.agrees.n) == (36 / 40, 40)


def test_a_judge_that_always_says_first_finds_nobody_better_and_is_told_of() -> None:
    found = duel([("first", "first")] * 60, [1.0] * 60)
    (one,) = found.pairs
    assert (one.wins, one.losses, one.ties, one.verdict) == (0, 0, 60, "not distinguishable")
    assert (one.changed.value, one.first, one.win_rate.value, one.agrees) == (1.0, 60, 0.5, None)
    assert found.goes_by_place and found.place_p is not None and found.place_p < 1e-6


def test_a_place_that_is_favoured_favours_no_model() -> None:
    """A judge that looks at the place in half of its verdicts finds equals equal, and the better one all the same."""
    found = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        (one,) = duel(by_place(random.choice([-1, 1], 80), 0.5, random)).pairs
        found.append(one)
    wrong = sum(one.verdict != "not distinguishable" for one in found)
    assert wrong <= binom.ppf(0.9999, 300, 0.05)
    assert np.mean([one.win_rate.value for one in found]) == pytest.approx(0.5, abs=0.012)
    assert np.mean([one.changed.value for one in found]) > 0.4
    random = np.random.default_rng(1)
    told = duel(by_place(random.choice([-1, 1], 200, p=[0.1, 0.9]), 0.5, random))
    assert told.pairs[0].verdict == "better" and told.goes_by_place


@pytest.mark.parametrize("shares", [(0.3, 0.4, 0.3), (0.05, 0.9, 0.05), (0.9, 0.08, 0.02), (0.6, 0.0, 0.4)])
@pytest.mark.parametrize("rows", [20, 100])
def test_the_interval_holds_the_win_rate_as_often_as_it_says(shares: tuple[float, ...], rows: int) -> None:
    truth, trials = shares[0] + shares[1] / 2, 1_000
    random = np.random.default_rng(rows)
    held = 0
    for wins, ties, losses in random.multinomial(rows, shares, trials).tolist():
        told = win_rate(wins, ties, losses, 0.95, 1)
        assert 0 <= told.low <= told.value <= told.high <= 1
        held += told.low <= truth <= told.high
    # Counts are whole numbers: where few rows can be anything but ties, it holds a little less often.
    assert held >= binom.ppf(0.001, trials, 0.93)


def test_p_is_corrected_over_the_pairs() -> None:
    said: list[Twice | None] = [("second", "first")] * 16 + [("first", "second")] * 5
    pairs = [Pair("a", name, said, np.full(21, np.nan)) for name in "bcde"]
    found = judged(pairs, **HOW).pairs
    assert found[0].p < 0.05 < found[0].p_holm == pytest.approx(4 * found[0].p)
    assert {one.verdict for one in found} == {"not distinguishable"}
    assert duel(said).pairs[0].verdict == "better"


def test_few_rows_tell_nothing() -> None:
    assert duel([("second", "first")] * 19).pairs[0].verdict == "too few rows"
    assert duel([("second", "first")] * 20).pairs[0].verdict == "better"
    (alike,) = duel([None] * 30).pairs
    assert (alike.same, alike.changed.n, alike.win_rate.value) == (30, 0, 0.5)
