"""Which of two models people prefer, from what they chose without knowing whose answer stands where.

Sides are drawn for each row, so that a habit of choosing one side favours nobody; whether there is such a habit is
tested all the same. Of several people's words on a row most count, and where there are as many for either it is a tie:
rows are what the interval and p are over, not words, for two people on one row are no two rows. Win rate and test are
those of a judge that is a model (`preference`): wins and half of the ties with Jeffreys' prior, the exact sign test of
wins against losses, Holm-corrected over the pairs. How far people agree is Krippendorff's alpha (`core/statistics`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score
from seedbed.core.preference import Chosen, ChosenByPeople
from seedbed.core.statistics.agreement import krippendorff_alpha
from seedbed.core.statistics.holm import holm

from .conformal import share
from .preference import sign_test, win_rate, with_verdict

#: What a person says of two answers.
Word = Literal["a", "b", "tie", "both_bad"]
_WORTH: Mapping[str, int] = {"a": -1, "b": 1, "tie": 0, "both_bad": 0}
_CODES: Mapping[str, int] = {word: code for code, word in enumerate(_WORTH)}


@dataclass(frozen=True)
class Asked:
    """A row that people were asked about."""

    words: Mapping[str, Word]
    """What each person said last."""
    left: Literal["a", "b"]
    """Whose answer stood on the left."""
    gain: float = float("nan")
    """How much better `b` is by the deciding metric on this row alone; NaN where that has no value."""
    judged: float = float("nan")
    """1 where the model of `judged_by` prefers `b`, -1 where it prefers `a`, 0 for a tie; NaN where it said nothing."""

    @property
    def outcome(self) -> int:
        """1 where most people prefer `b`, -1 where most prefer `a`, 0 where neither."""
        return int(np.sign(sum(_WORTH[word] for word in self.words.values())))

    @property
    def bad(self) -> bool:
        """Whether most people say that both answers are bad."""
        return sum(word == "both_bad" for word in self.words.values()) * 2 > len(self.words)


@dataclass(frozen=True)
class Pair:
    """Two models on the same rows."""

    a: str
    b: str
    asked: Sequence[Asked]
    """Rows on which somebody decided."""
    same: int = 0
    """Rows to which both gave the same answer, so that nobody was asked, among those that were gone through."""

    @property
    def outcomes(self) -> NDArray[np.int64]:
        """Of each row, shape (rows,)."""
        return np.array([one.outcome for one in self.asked], dtype=np.int64)


def chosen(
    pairs: Sequence[Pair], *, split: str, of: int, metric: str | None, level: float, seed: int
) -> ChosenByPeople:
    """What people chose.

    Args:
        pairs: With what was said of each row; those of which nothing was said are left out.
        split: What the rows are called.
        of: Rows that they were drawn from.
        metric: The one that gains are of.
        level: Coverage of the intervals; p counts as small below 1 - level.
        seed: Of what is drawn.
    """
    told = [pair for pair in pairs if pair.asked]
    found = [_chosen(pair, level, seed) for pair in told]
    corrected = holm([one.p for one in found])
    rows = [one for pair in told for one in pair.asked]
    preferred = [one for one in rows if one.outcome]
    on_left = sum((one.outcome > 0) == (one.left == "b") for one in preferred)
    p = sign_test(on_left, len(preferred) - on_left) if preferred else None
    return ChosenByPeople(
        split=split,
        of=of,
        metric=metric,
        people=len({who for one in rows for who in one.words}),
        decisions=sum(len(one.words) for one in rows),
        pairs=tuple(with_verdict(one, p, level) for one, p in zip(found, corrected, strict=True)),
        left=share(on_left, len(preferred), level) if preferred else None,
        left_p=p,
        goes_by_place=p is not None and p < 1 - level,
        agreement=agreement(rows, seed),
    )


def _chosen(pair: Pair, level: float, seed: int) -> Chosen:
    outcomes = pair.outcomes
    wins, losses = int((outcomes > 0).sum()), int((outcomes < 0).sum())
    rows = len(outcomes) + pair.same
    ties = rows - wins - losses
    p = sign_test(wins, losses)
    return Chosen(
        a=pair.a,
        b=pair.b,
        rows=rows,
        wins=wins,
        losses=losses,
        ties=ties,
        both_bad=sum(one.bad for one in pair.asked),
        same=pair.same,
        win_rate=win_rate(wins, ties, losses, level, seed),
        p=p,
        p_holm=p,
        verdict="too few rows",
        agrees=_agrees(outcomes, [one.gain for one in pair.asked], level),
        judge_agrees=_agrees(outcomes, [one.judged for one in pair.asked], level),
    )


def _agrees(outcomes: NDArray[np.int64], others: Sequence[float], level: float) -> Score | None:
    """Of the rows on which both prefer one, the share where it is the same."""
    theirs = np.nan_to_num(np.asarray(others, dtype=np.float64))
    both = (outcomes != 0) & (theirs != 0)
    if not both.any():
        return None
    return share(int((np.sign(theirs[both]) == outcomes[both]).sum()), int(both.sum()), level)


def agreement(rows: Sequence[Asked], seed: int) -> Score | None:
    """How far people agree on rows that two or more decided on; none where there are none."""
    names = sorted({who for one in rows for who in one.words})
    said = [[_CODES[one.words[who]] if who in one.words else np.nan for who in names] for one in rows]
    ratings = np.array(said, dtype=np.float64).reshape(len(rows), len(names))
    if not ((~np.isnan(ratings)).sum(axis=1) > 1).any():
        return None
    return krippendorff_alpha(ratings, seed=seed)
