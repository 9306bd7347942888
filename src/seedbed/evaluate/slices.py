"""How a model does on some of the rows against how it does on the others: by text length, by source, by column.

A slice's score is the deciding metric on its rows. Its difference from the score of all other rows has a bootstrap
interval (both sides resampled, each by itself) and a p from permuting who belongs to the slice: if belonging meant
nothing to the model, any other rows with the same labels could as well be in it. Permuting among rows of one label is
what keeps a slice from being called bad because it holds other labels, or other shares of them, than the rest; of
other answers, rows count as alike that `Form.strata` calls so. p is Holm-corrected over all slices of a split (`holm`).

Where rows have groups, both sides are resampled together, by whole groups, for a group may lie on both. Belonging is
permuted the same way: groups that lie wholly in the slice or beside it are exchanged whole, among those whose rows are
mostly alike in what is right, and rows of the other groups within their group (Winkler et al. 2015, *Multi-level block
permutation*). With fewer than ten groups on one side there is no difference to tell.

A macro average over a slice is over the labels that occur there, in the truth or among the predictions: a label that a
slice lacks is left out, not counted as 0. The difference itself is one in what a user meets there, labels and all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import Answers, DecisionMetric, Metric, Score, Truth
from seedbed.core.run import Slice
from seedbed.core.statistics.holm import holm

from .belonging import Belonging
from .drawing import weights
from .groups import Groups, Units, some_groups
from .holm import verdict
from .intervals import (
    bounds,
    by_cells,
    confusion,
    one_label,
    pieces,
    resampled,
    row_scores,
    scores,
    units_of,
    with_missed,
)
from .judge import measure
from .paired import chance_of
from .taking import numbers_a_row, some

#: Fewer rows than this, in a slice or beside it, tell nothing; nor do rows of fewer groups.
FEWEST_ROWS, FEWEST_GROUPS = 30, 10
MOST_VALUES = 20
OTHER, MISSING = "other values", "(missing)"
_MOST_CELLS = 2_000_000
_FEWEST_DRAWS, _MOST_DRAWS = 1_000, 4_000
_FEWEST_ON_ROWS = 500
_PIECE_BYTES = 16 << 20
#: Of more labels than this, a slice tells too little to be worth what it costs.
_MOST_LABELS = 200
#: Lengths below which edges are multiples of a step.
_STEPS = ((20, 1), (100, 5), (300, 10), (1_000, 50), (3_000, 100))

_Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """What rows are told apart by."""

    by: str
    values: tuple[str, ...]
    codes: NDArray[np.int64]
    """Value of each row, as an index into `values`, shape (rows,)."""


def length_edges(texts: pl.Series) -> tuple[int, ...]:
    """Lengths in characters that cut texts into about four equal parts, rounded to what a person reads easily."""
    lengths = texts.cast(pl.String).str.len_chars().drop_nulls()
    found = set()
    for share in (0.25, 0.5, 0.75) if lengths.len() else ():
        quartile = lengths.quantile(share, "nearest") or 0
        step = next((step for most, step in _STEPS if quartile < most), 500)
        found.add(max(step, int(quartile / step + 0.5) * step))
    return tuple(sorted(found))


def by_length(texts: pl.Series, edges: Sequence[int]) -> Grouping:
    """Texts by their number of characters: `under 40 characters`, `40 to 69 characters`, …"""
    lengths = texts.cast(pl.String).str.len_chars().fill_null(0).to_numpy()
    between = [f"{low:,} to {high - 1:,} characters" for low, high in itertools.pairwise(edges)]
    values = (f"under {edges[0]:,} characters", *between, f"{edges[-1]:,} characters or more") if edges else ("all",)
    return Grouping("text length", values, np.searchsorted(np.asarray(edges, dtype=np.int64), lengths, side="right"))


def by_value(by: str, column: pl.Series) -> Grouping:
    """Rows by the values of a column, the most frequent 20 by themselves; a missing value is one of them."""
    texts = column.cast(pl.String).fill_null(MISSING)
    counts = texts.alias("value").value_counts().sort("count", "value", descending=[True, False])
    names = counts["value"].to_list()
    shown = names[:MOST_VALUES]
    values = (*shown, OTHER) if len(names) > len(shown) else tuple(shown)
    codes = texts.replace_strict(shown, list(range(len(shown))), default=len(shown), return_dtype=pl.Int64)
    return Grouping(by, values, codes.to_numpy())


def judge_slices(  # noqa: PLR0913 (each is one of what a judge needs)
    truth: Truth,
    answers: Answers,
    groupings: Sequence[Grouping],
    metric: Metric,
    *,
    strata: NDArray[np.int64] | None = None,
    others: Sequence[Metric] = (),
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 13,
    groups: Groups = None,
) -> tuple[Slice, ...]:
    """Judge a model slice by slice.

    Args:
        truth: What is right, of each row.
        answers: What the model says of each.
        groupings: What to tell rows apart by.
        metric: The deciding one.
        strata: Which rows are alike in what is right, shape (rows,); the labels, where rows have one each.
        others: Metrics that each slice is told besides; they are not tested.
        level: Coverage of the intervals.
        resamples: Bootstrap resamples and permutations at most; fewer where they would cost much.
        seed: Of both.
        groups: The group of each row, where rows are no independent draws.

    Returns:
        In the order of the groupings and their values, without slices that have no rows or no value. One with under 30
        rows in it, or beside it, has no difference. None for more than 200 labels.
    """
    if numbers_a_row(answers) > _MOST_LABELS:
        return ()
    if strata is None:
        strata = truth if one_label(truth) else np.zeros(len(truth), dtype=np.int64)
    judge = _Judge(truth, answers, metric, strata, level, resamples, seed, groups)
    found = [one for grouping in groupings for one in _of_grouping(judge, grouping, others)]
    tested = [place for place, one in enumerate(found) if one.p is not None]
    for place, p in zip(tested, holm([found[place].p or 0.0 for place in tested]), strict=True):
        one = found[place]
        assert one.difference is not None and one.low is not None and one.high is not None
        gain = -one.difference if metric.lower_is_better else one.difference
        said = verdict(gain, one.low, one.high, p, level)
        found[place] = one.model_copy(update={"p": p, "verdict": said})
    return tuple(found)


def _of_grouping(judge: _Judge, grouping: Grouping, others: Sequence[Metric]) -> Iterator[Slice]:
    for code, value in enumerate(grouping.values):
        inside = grouping.codes == code
        score = judge.score(inside) if inside.any() else None
        if score is None:
            continue
        beside = {other.use: replace(judge, metric=other).score(inside) for other in others}
        also = {name: told for name, told in beside.items() if told is not None}
        one = Slice(by=grouping.by, value=value, score=score, also=also)
        if judge.enough(inside):
            difference, low, high, p = judge.difference(inside)
            if not np.isnan(difference):
                one = one.model_copy(update={"difference": difference, "low": low, "high": high, "p": p})
        yield one


@dataclass(frozen=True)
class _Judge:
    truth: Truth
    answers: Answers
    metric: Metric
    strata: NDArray[np.int64]
    level: float
    resamples: int
    seed: int
    groups: Groups

    def enough(self, inside: NDArray[np.bool_]) -> bool:
        """Whether so many rows are in a slice and beside it that their difference says something."""
        sides = inside, ~inside
        if min(rows.sum() for rows in sides) < FEWEST_ROWS:
            return False
        return self.groups is None or min(len(np.unique(self.groups[rows])) for rows in sides) >= FEWEST_GROUPS

    @property
    def decision(self) -> DecisionMetric | None:
        """The metric, where counts of truth by prediction tell it."""
        return self.metric if isinstance(self.metric, DecisionMetric) and by_cells(self.metric, self.truth) else None

    def cells(self, rows: NDArray[np.bool_]) -> _Codes:
        return confusion(self.truth[rows], self.answers[rows].argmax(axis=1), self.answers.shape[1])

    def score(self, inside: NDArray[np.bool_]) -> Score | None:
        """The metric on some rows; None where it has no value."""
        level, draws, seed = self.level, self._draws(), self.seed
        truth, answers, groups = some(self.truth, inside), some(self.answers, inside), some_groups(self.groups, inside)
        if (decision := self.decision) is not None:
            units = units_of(truth, answers.argmax(axis=1), answers.shape[1], groups)
            cells = self.cells(inside)
            return scores(cells, [decision], level=level, resamples=draws, seed=seed, units=units)[decision.use]
        found = row_scores(truth, answers, [self.metric], level=level, resamples=draws, seed=seed, groups=groups)
        return found[self.metric.use].score if found else None

    def difference(self, inside: NDArray[np.bool_]) -> tuple[float, float, float, float]:
        """Score of these rows minus that of the others, ends of its interval, and p."""
        sides = (inside, ~inside)
        values = [measure(self.metric, some(self.truth, rows), some(self.answers, rows)) for rows in sides]
        found = values[0] - values[1]
        if np.isnan(found):
            return found, found, found, 1.0
        if self.groups is not None:
            low, high = bounds(self._resampled_groups(inside, self.groups), self.level)
            return found, low, high, chance_of(self._permuted_groups(inside, self.groups), found)
        here, there = (self._resampled(rows, place) for place, rows in enumerate(sides))
        low, high = bounds(here - there, self.level)
        return found, low, high, chance_of(self._permuted(inside), found)

    def _draws(self) -> int:
        wide = numbers_a_row(self.answers)
        if self.decision is None or self.groups is not None:
            rows = max(1, len(self.truth) * wide)
            return min(self.resamples, _MOST_DRAWS, max(_FEWEST_ON_ROWS, 4 * _MOST_CELLS // rows))
        return min(self.resamples, _MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_CELLS // wide**2))

    def _resampled(self, rows: NDArray[np.bool_], place: int) -> NDArray[np.float64]:
        draws, seed = self._draws(), self.seed + 1 + place  # the two sides are drawn apart
        if (decision := self.decision) is not None:
            drawn = resampled(self.cells(rows), resamples=draws, seed=seed)
            return np.concatenate([decision.of_cells(piece) for piece in drawn])
        measured = self.metric.over(some(self.truth, rows), some(self.answers, rows))
        return np.concatenate([measured(piece) for piece in weights(int(rows.sum()), draws, seed)])

    def _permuted(self, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Differences when other rows, as many of each label, are in the slice."""
        draws, random = self._draws(), np.random.default_rng([self.seed, 2])
        found: list[NDArray[np.float64]] = []
        if (decision := self.decision) is not None:
            cells = self.cells(np.ones_like(inside))
            members = self.cells(inside).sum(axis=1).tolist()
            for m in pieces(draws, cells.size):
                counts = np.zeros((m, *cells.shape), dtype=np.int64)
                for label in np.flatnonzero(members):
                    held = np.flatnonzero(cells[label])
                    drawn = random.multivariate_hypergeometric(cells[label, held], members[label], size=m)
                    counts[:, label, held] = drawn
                found.append(decision.of_cells(counts) - decision.of_cells(cells - counts))
            return np.concatenate(found)
        measured, most = self.metric.over(self.truth, self.answers), max(1, _PIECE_BYTES // len(self.strata))
        for start in range(0, draws, most):
            member = np.tile(inside[:, None].astype(np.uint8), min(most, draws - start))
            for alike in np.unique(self.strata[inside]):
                rows = np.flatnonzero(self.strata == alike)
                member[rows] = random.permuted(member[rows], axis=0)
            found.append(measured(member.T) - measured(1 - member.T))
        return np.concatenate(found)

    def _resampled_groups(self, inside: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Differences on resamples of whole groups; NaN where one side is empty."""
        draws, seed, found = self._draws(), self.seed + 1, []
        decision = self.decision
        if decision is None:
            measured = self.metric.over(self.truth, self.answers)
            for one in weights(len(inside), draws, seed, groups):
                found.append(measured(one * inside) - measured(one * ~inside))
            return np.concatenate(found)
        size, random = self.answers.shape[1], np.random.default_rng(seed)
        code = (inside * size + self.truth) * size + self.answers.argmax(axis=1)
        held, cell, counts = np.unique(code, return_inverse=True, return_counts=True)
        units = Units.of(cell, counts, groups)
        for m in pieces(draws, max(units.counts.size, 2 * size**2)):
            drawn = with_missed(units.resampled(random, m), counts, held // size)
            cells = np.zeros((m, 2 * size**2), dtype=drawn.dtype)
            cells[:, held] = drawn
            there, here = np.split(cells.reshape(m, 2 * size, size), 2, axis=1)
            found.append(decision.of_cells(here) - decision.of_cells(there))
        return np.concatenate(found)

    def _permuted_groups(self, inside: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Differences when other groups are in the slice, or other rows of a group that is partly in it."""
        draws, random = self._draws(), np.random.default_rng([self.seed, 2])
        measured = self.metric.over(self.truth, self.answers)
        if (decision := self.decision) is not None:
            measured = partial(_of_cells, decision, self.truth, self.answers)
        belonging, most = Belonging.of(inside, groups, self.strata), max(1, _PIECE_BYTES // len(inside))
        found: list[NDArray[np.float64]] = []
        for start in range(0, draws, most):
            member = belonging.permuted(random, min(most, draws - start))
            found.append(measured(member) - measured(1 - member))
        return np.concatenate(found)


def _of_cells(
    metric: DecisionMetric, truth: _Codes, answers: NDArray[np.float64], weights: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """`DecisionMetric.of_rows`, of many weights at once."""
    from scipy.sparse import csr_array

    rows, size = answers.shape
    where = np.arange(rows), truth * size + answers.argmax(axis=1)
    cells = csr_array((np.ones(rows, np.int64), where), shape=(rows, size**2))
    return metric.of_cells(np.asarray(weights @ cells).reshape(-1, size, size))
