"""Two models on the same rows: is one better, or could the difference be chance?

For metrics of decided labels everything is drawn over the joint cells (truth, a's answer, b's answer), of which there
are at most as many as rows; for other metrics over the rows themselves:

* the interval of the difference resamples rows, as in `intervals`: a row keeps both answers, so the pairing stays
  (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13);
* p is a paired permutation test (Good 2005, *Permutation, Parametric and Bootstrap Tests of Hypotheses*): if the
  models were alike, each row's two answers could as well be exchanged. Swapping each row with probability 1/2 is one
  binomial draw a cell. p = (1 + as extreme) / (1 + draws), which is never 0 (Phipson & Smyth 2010);
* McNemar's exact test (McNemar 1947) looks only at rows that one model got right and the other wrong; there is none
  where answers are more or less right.

Where rows have groups (`groups`), whole groups are resampled and exchanged, and McNemar's test becomes what it is the
exact form of: the rows that only b got right minus those that only a did, of each group, with signs by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric, Metric, Truth
from seedbed.core.run import Comparison

from .drawing import affordable, swaps
from .groups import Groups, Units, how_many
from .holm import verdict
from .intervals import bounds, by_cells, one_label, pieces, row_scores, with_missed
from .taking import both, numbers_a_row, same

#: Differences that are equal but for rounding count as equally extreme.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Answers:
    """What a model answers on some rows."""

    name: str
    told: Any
    """What it says of each row: probabilities of labels, shape (rows, K), or whatever the task asks for."""
    resampled: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Values of metrics that are measured on rows, by name, on resamples, as `intervals.row_scores` gives them."""

    right: NDArray[np.bool_] | None = None
    """Which answers are right, shape (rows,), where answers are right or wrong; found out where rows have one label."""

    @cached_property
    def decided(self) -> NDArray[np.int64]:
        """Of probabilities: the most probable label of each row, the first of equals, shape (rows,)."""
        return np.asarray(self.told.argmax(axis=1), dtype=np.int64)


def compare(  # noqa: PLR0913 (each is one of what a judge needs)
    truth: Truth,
    a: Answers,
    b: Answers,
    metric: Metric,
    *,
    split: str,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 13,
    groups: Groups = None,
) -> Comparison | None:
    """Compare a second model, b, with a first, a.

    Args:
        truth: What is right, of each row; at least one row.
        a: The one model's answers.
        b: The other's.
        metric: What to compare.
        split: Name of the rows.
        level: Coverage of the interval; a difference counts where p is below 1 - level and the interval excludes 0.
        resamples: Bootstrap resamples, and permutations; for metrics that are measured on rows fewer on large splits.
        seed: Of both.
        groups: The group of each row, where rows are no independent draws.

    Returns:
        The difference b - a and what chance makes of it. The verdict is about b; it knows of no other comparison
        (`holm.with_holm` does). None where the metric has no value on these rows.
    """
    how = _Draws(level, resamples, seed, groups)
    if by_cells(metric, truth):
        assert isinstance(metric, DecisionMetric)
        difference, low, high, p = _of_decisions(truth, a.decided, b.decided, a.told.shape[1], metric, how)
    else:
        difference, low, high, p = _of_rows(truth, a, b, metric, how)
    if np.isnan(difference):
        return None
    right_a, right_b = (_right(truth, one) for one in (a, b))
    gain = -difference if metric.lower_is_better else difference
    return Comparison(
        a=a.name,
        b=b.name,
        split=split,
        metric=metric.use,
        difference=difference,
        low=low,
        high=high,
        p=p,
        mcnemar=None if right_a is None or right_b is None else _of_mistakes(right_a, right_b, how),
        n=len(truth),
        groups=how_many(groups),
        verdict=verdict(gain, low, high, p, level),
    )


def _right(truth: Truth, answers: Answers) -> NDArray[np.bool_] | None:
    if answers.right is None and one_label(truth):
        return np.asarray(answers.decided == truth)
    return answers.right


@dataclass(frozen=True)
class _Draws:
    level: float
    resamples: int
    seed: int
    groups: Groups


def _of_decisions(
    truth: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    size: int,
    metric: DecisionMetric,
    how: _Draws,
) -> tuple[float, float, float, float]:
    """Difference, ends of its interval and p, over joint cells."""
    codes, cell, counts = np.unique((truth * size + a) * size + b, return_inverse=True, return_counts=True)
    true, of_a, of_b = codes // size**2, codes // size % size, codes % size
    to_a, to_b = _Margin(true * size + of_a, size), _Margin(true * size + of_b, size)
    cells_a, cells_b = to_a(counts), to_b(counts)
    difference = float(metric.of_cells(cells_b) - metric.of_cells(cells_a))
    units = Units.of(cell, counts, how.groups)
    low, high = bounds(_resampled_differences(units, counts, true, (to_a, to_b), metric, how), how.level)
    differ = of_a != of_b
    rows = differ[cell]  # only where models differ can an exchange change anything
    left = None if how.groups is None else np.unique(how.groups[rows], return_inverse=True)[1]
    null = _swapped_differences(
        Units.of((np.cumsum(differ) - 1)[cell[rows]], counts[differ], left),
        _Margin((true * size + of_a)[differ], size),
        _Margin((true * size + of_b)[differ], size),
        (cells_a, cells_b),
        metric,
        how,
    )
    return difference, low, high, chance_of(null, difference)


@np.errstate(invalid="ignore")  # some metrics have no end: between two infinite values there is no difference
def _of_rows(truth: Truth, a: Answers, b: Answers, metric: Metric, how: _Draws) -> tuple[float, float, float, float]:
    """The same over rows: both models' resamples are the same rows, and a swap exchanges a row's two answers."""
    rows = len(truth)
    once = np.ones((1, rows), dtype=np.uint8)
    difference = float(metric.of_rows(truth, b.told, once)[0] - metric.of_rows(truth, a.told, once)[0])
    if np.isnan(difference):
        return difference, difference, difference, 1.0
    drawn = [_resampled_values(truth, one, metric, how) for one in (a, b)]
    low, high = bounds(drawn[1] - drawn[0], how.level)
    if same(a.told, b.told):
        return difference, low, high, 1.0
    measured = metric.over(both(truth, truth), both(a.told, b.told))
    draws = affordable(2 * rows, numbers_a_row(a.told), how.resamples)
    null = [measured(second) - measured(first) for first, second in swaps(rows, draws, how.seed, how.groups)]
    return difference, low, high, chance_of(np.concatenate(null), difference)


def _resampled_values(truth: Truth, answers: Answers, metric: Metric, how: _Draws) -> NDArray[np.float64]:
    known = answers.resampled.get(metric.use)
    if known is not None:
        return known
    given = {"level": how.level, "resamples": how.resamples, "seed": how.seed, "groups": how.groups}
    sampled = row_scores(truth, answers.told, [metric], **given)  # type: ignore[arg-type]
    return sampled[metric.use].values


def chance_of(null: NDArray[np.float64], found: float) -> float:
    """The share of draws that are at least as extreme as what was found, the found one among them.

    A draw without a value counts as extreme.
    """
    milder = np.abs(null) < abs(found) - ROUNDING
    return float((1 + (~milder).sum()) / (1 + null.size))


def _of_mistakes(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_], how: _Draws) -> float:
    """McNemar's p; of groups, that of their sums with signs by chance: as many signs as there are sums of one size."""
    if how.groups is None:
        return mcnemar(int((right_a & ~right_b).sum()), int((~right_a & right_b).sum()))
    sums = np.bincount(how.groups, right_b.astype(np.float64) - right_a)
    sizes, counts = np.unique(np.abs(sums[sums != 0]), return_counts=True)
    random = np.random.default_rng([how.seed, 2])
    signs = 2 * random.binomial(counts, 0.5, size=(how.resamples, counts.size)) - counts
    return chance_of(signs @ sizes, float(sums.sum()))


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided McNemar p, from rows that only the first and only the second model got right."""
    from scipy.stats import binomtest

    return float(binomtest(only_b, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


class _Margin:
    """Adds up joint cells to one model's confusion matrix."""

    def __init__(self, cell: NDArray[np.int64], size: int) -> None:
        self.size = size
        self.order = np.argsort(cell, kind="stable")
        self.cells, self.starts = np.unique(cell[self.order], return_index=True)

    def __call__(self, counts: NDArray[Any]) -> NDArray[Any]:
        """Counts of joint cells, shape (..., cells), to shape (..., K, K)."""
        flat = np.zeros((*counts.shape[:-1], self.size**2), dtype=counts.dtype)
        flat[..., self.cells] = np.add.reduceat(counts[..., self.order], self.starts, axis=-1)
        return flat.reshape(*counts.shape[:-1], self.size, self.size)


def _resampled_differences(
    units: Units,
    counts: NDArray[np.int64],
    true: NDArray[np.int64],
    to: tuple[_Margin, _Margin],
    metric: DecisionMetric,
    how: _Draws,
) -> NDArray[np.float64]:
    random = np.random.default_rng(how.seed)
    to_a, to_b = to
    found = []
    for m in pieces(units.affordable(how.resamples), max(counts.size, units.counts.size, to_a.size**2)):
        drawn = with_missed(units.resampled(random, m), counts, true)
        found.append(metric.of_cells(to_b(drawn)) - metric.of_cells(to_a(drawn)))
    return np.concatenate(found)


def _swapped_differences(
    units: Units,
    to_a: _Margin,
    to_b: _Margin,
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    metric: DecisionMetric,
    how: _Draws,
) -> NDArray[np.float64]:
    """Differences after swapping; takes the joint cells where the models differ, for the others cannot change."""
    if not units.counts.size:
        return np.zeros(how.resamples)
    random = np.random.default_rng([how.seed, 1])  # not the numbers that the interval was drawn with
    found = []
    for m in pieces(units.affordable(how.resamples), max(units.counts.size, to_a.order.size, to_a.size**2)):
        moved = units.exchanged(random, m)
        change = to_b(moved) - to_a(moved)
        found.append(metric.of_cells(cells[1] - change) - metric.of_cells(cells[0] + change))
    return np.concatenate(found)
