"""Which of two models people prefer."""

from __future__ import annotations

import random
from typing import Any

import pytest

from seedbed.evaluate.choices import Asked, Pair, Word, chosen


def of(*pairs: Pair) -> Any:
    return chosen(pairs, split="test", of=100, metric="chrf", level=0.95, seed=13)


def rows(word: Word, n: int, *, left: str = "ab", **more: float) -> list[Asked]:
    """Rows that one person decided alike, sides in turn."""
    return [Asked({"ann": word}, "a" if left[at % len(left)] == "a" else "b", **more) for at in range(n)]


def test_wins_losses_ties_and_rows_nobody_was_asked_about() -> None:
    asked = [*rows("b", 30), *rows("a", 6), *rows("tie", 3), *rows("both_bad", 4)]
    found = of(Pair("old", "new", asked, same=7), Pair("old", "unseen", []))
    (one,) = found.pairs
    assert (one.rows, one.wins, one.losses, one.ties, one.both_bad, one.same) == (50, 30, 6, 14, 4, 7)
    assert one.win_rate.value == pytest.approx((30 + 7) / 50) and one.win_rate.low < 0.74 < one.win_rate.high
    assert one.p == pytest.approx(6.8e-5, rel=0.05), "scipy.stats.binomtest(6, 36)"
    assert (one.verdict, found.people, found.decisions) == ("better", 1, 43)
    assert found.left.value == 0.5 and not found.goes_by_place and found.agreement is None


def test_of_several_people_most_count_and_a_draw_is_a_tie() -> None:
    words: list[dict[str, Word]] = [
        {"ann": "a", "ben": "b", "cleo": "b"},
        {"ann": "a", "ben": "b"},
        {"ann": "a", "ben": "both_bad", "cleo": "both_bad"},
        {"ann": "both_bad", "ben": "both_bad", "cleo": "tie"},
    ]
    found = of(Pair("x", "y", [Asked(one, "a") for one in words]))
    (one,) = found.pairs
    assert (one.rows, one.wins, one.losses, one.ties, one.both_bad) == (4, 1, 1, 2, 2)
    assert one.verdict == "too few rows" and found.people == 3 and found.decisions == 11


def test_whoever_always_says_left_prefers_nobody_and_is_told() -> None:
    chance = random.Random(1)
    sides = [chance.choice("ab") for _ in range(60)]
    asked = [Asked({"ann": "a" if side == "a" else "b"}, "a" if side == "a" else "b") for side in sides]
    found = of(Pair("x", "y", asked))
    assert found.pairs[0].verdict == "not distinguishable" and 0.3 < found.pairs[0].win_rate.value < 0.7
    assert found.left.value == 1 and found.goes_by_place and found.left_p < 1e-10


def test_agreement_of_people_with_each_other_with_the_judge_and_the_metric() -> None:
    asked = [Asked({"ann": "b", "ben": "b"}, "a", gain=0.2, judged=1.0) for _ in range(15)]
    asked += [Asked({"ann": "a", "ben": "a"}, "b", gain=0.0, judged=1.0) for _ in range(5)]
    asked += [Asked({"ann": "tie"}, "b", gain=0.3, judged=float("nan"))]
    found = of(Pair("x", "y", asked))
    (one,) = found.pairs
    assert (one.judge_agrees.value, one.judge_agrees.n) == (0.75, 20), "the tie is left out"
    assert (one.agrees.value, one.agrees.n) == (1.0, 15), "where the metric sees no difference it is left out"
    assert (found.agreement.value, found.agreement.n) == (1.0, 20)


def test_p_is_corrected_over_the_pairs() -> None:
    asked = [*rows("b", 15), *rows("a", 5)]
    alone = of(Pair("x", "y", asked)).pairs[0]
    among = of(*(Pair("x", name, asked) for name in "yzw")).pairs
    assert alone.verdict == "better" and alone.p == alone.p_holm
    assert all(one.p_holm == pytest.approx(3 * alone.p) for one in among)
    assert {one.verdict for one in among} == {"not distinguishable"}
