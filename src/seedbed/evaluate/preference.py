"""Which of two models a judge prefers, from verdicts that were asked for twice, with the places swapped.

Language models that judge favour a place, often the first, whatever stands there (Zheng et al. 2023, *Judging
LLM-as-a-Judge with MT-Bench and Chatbot Arena*; Wang et al. 2024, *Large Language Models are not Fair Evaluators*). So
each pair of answers is judged from both sides, and only a verdict that stays counts; one that changes with the places
is a tie, and the share of such is told: it is what the judge owes to the place.

The win rate is wins and half of the ties. Its interval is the middle of what counts of wins, ties and losses leave
possible (Dirichlet with Jeffreys' prior of 1/2 each; Brown, Cai & DasGupta 2001 on why that covers well for shares);
p is the exact sign test of wins against losses, which ties say nothing about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score
from seedbed.core.preference import Chosen, Judged, Preferred
from seedbed.core.statistics.holm import holm

from .conformal import share
from .holm import verdict

Said = Literal["first", "second", "equal"]
#: What was said where `a` stood first, then where `b` did; none where it could not be read.
Twice = tuple[Said | None, Said | None]

#: Fewer rows than this are not called better or worse.
FEWEST_ROWS = 20
_DRAWS = 20_000
#: A pair of models as a judge or as people see it.
Either = TypeVar("Either", Preferred, Chosen)


@dataclass(frozen=True)
class Pair:
    """Two models on the same rows."""

    a: str
    b: str
    said: Sequence[Twice | None]
    """Of each row; none where both gave the same answer, so that there is nothing to judge."""
    gains: NDArray[np.float64]
    """How much better `b` is by the deciding metric on each row alone, shape (rows,); NaN where that has no value."""


def outcome(said: Twice | None) -> float:
    """1 where `b` was preferred from both places, -1 where `a` was, 0 for a tie; NaN where nothing can be read."""
    if said is None:
        return 0.0
    if None in said:
        return float("nan")
    if said == ("second", "first"):
        return 1.0
    return -1.0 if said == ("first", "second") else 0.0


def judged(pairs: Sequence[Pair], *, judge: str, split: str, of: int, metric: str, level: float, seed: int) -> Judged:
    """What a judge said of pairs of models.

    Args:
        pairs: With what was said of each row. A pair of which nothing could be read is left out.
        judge: Its name.
        split: What the rows are called.
        of: Rows that they were drawn from.
        metric: The one that `gains` are of.
        level: Coverage of the intervals; p counts as small below 1 - level.
        seed: Of what is drawn.
    """
    told = [one for pair in pairs if (one := _preferred(pair, level, seed)) is not None]
    corrected = holm([one.p for one in told])
    verdicts = [with_verdict(one, p, level) for one, p in zip(told, corrected, strict=True)]
    first, second = sum(one.first for one in told), sum(one.second for one in told)
    p = sign_test(first, second) if first + second else None
    return Judged(
        judge=judge,
        split=split,
        of=of,
        metric=metric,
        pairs=tuple(verdicts),
        place_p=p,
        goes_by_place=p is not None and p < 1 - level,
    )


def _preferred(pair: Pair, level: float, seed: int) -> Preferred | None:
    outcomes = np.array([outcome(one) for one in pair.said], dtype=np.float64)
    read = ~np.isnan(outcomes)
    asked = [one for one in pair.said if one is not None and None not in one]
    rows = int(read.sum())
    if not rows:
        return None
    wins, losses = int((outcomes == 1).sum()), int((outcomes == -1).sum())
    ties = rows - wins - losses
    changed = sum(one not in (("first", "second"), ("second", "first"), ("equal", "equal")) for one in asked)
    p = sign_test(wins, losses)
    return Preferred(
        a=pair.a,
        b=pair.b,
        rows=rows,
        wins=wins,
        losses=losses,
        ties=ties,
        same=sum(one is None for one in pair.said),
        unread=int((~read).sum()),
        win_rate=win_rate(wins, ties, losses, level, seed),
        p=p,
        p_holm=p,
        verdict="too few rows",
        changed=share(changed, len(asked), level) if asked else Score(value=0.0, low=0.0, high=1.0, n=0),
        first=sum(one == ("first", "first") for one in asked),
        second=sum(one == ("second", "second") for one in asked),
        agrees=_agrees(outcomes, pair.gains, level),
    )


def with_verdict(one: Either, p: float, level: float) -> Either:
    """A pair with p corrected, and the verdict that goes by it; of few rows nothing is said."""
    update: dict[str, object] = {"p_holm": p}
    if one.rows >= FEWEST_ROWS:
        rate = one.win_rate
        update["verdict"] = verdict(rate.value - 0.5, rate.low - 0.5, rate.high - 0.5, p, level)
    return one.model_copy(update=update)


def win_rate(wins: int, ties: int, losses: int, level: float, seed: int) -> Score:
    """Wins and half of the ties, as a share of all rows; at least one row."""
    rows = wins + ties + losses
    value = (wins + ties / 2) / rows
    drawn = np.random.default_rng(seed).dirichlet(np.array([wins, ties, losses]) + 0.5, _DRAWS)
    tail = (1 - level) / 2
    low, high = np.quantile(drawn[:, 0] + drawn[:, 1] / 2, [tail, 1 - tail])
    return Score(value=value, low=min(float(low), value), high=max(float(high), value), n=rows)


def _agrees(outcomes: NDArray[np.float64], gains: NDArray[np.float64], level: float) -> Score | None:
    both = (np.abs(outcomes) == 1) & (np.abs(gains) > 0)
    if not both.any():
        return None
    return share(int((np.sign(gains[both]) == outcomes[both]).sum()), int(both.sum()), level)


def sign_test(one: int, other: int) -> float:
    """Two-sided exact p of so uneven a split, were both as likely; 1 of nothing."""
    from scipy.stats import binomtest

    return float(binomtest(one, one + other).pvalue) if one + other else 1.0
