"""Two models on the same rows: is one better, or could the difference be chance?

Everything is drawn over the joint cells (truth, a's answer, b's answer), of which there are at most as many as rows:

* the interval of the difference resamples rows, as in `intervals`: a row keeps both answers, so the pairing stays
  (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13);
* p is a paired permutation test (Good 2005, *Permutation, Parametric and Bootstrap Tests of Hypotheses*): if the
  models were alike, each row's two answers could as well be exchanged. Swapping each row with probability 1/2 is one
  binomial draw a cell. p = (1 + as extreme) / (1 + draws), which is never 0 (Phipson & Smyth 2010);
* McNemar's exact test (McNemar 1947) looks only at rows that one model got right and the other wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.errors import MissingExtraError
from seedbed.core.metric import Metric
from seedbed.core.run import Comparison

from .intervals import bounds, pieces

#: Differences that are equal but for rounding count as equally extreme.
ROUNDING = 1e-12


def compare(
    truth: NDArray[np.int64],
    answers: Mapping[str, NDArray[np.int64]],
    size: int,
    metric: Metric,
    *,
    split: str,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 13,
) -> Comparison:
    """Compare a second model, b, with a first, a.

    Args:
        truth: True label of each row, from 0, shape (rows,), at least one row.
        answers: What each of the two models predicts, shape (rows,), by the models' names: first a, then b.
        size: Labels, K.
        metric: What to compare.
        split: Name of the rows.
        level: Coverage of the interval; a difference counts where p is below 1 - level and the interval excludes 0.
        resamples: Bootstrap resamples, and permutations.
        seed: Of both.

    Returns:
        The difference b - a and what chance makes of it. The verdict is about b.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    (name_a, a), (name_b, b) = answers.items()
    codes, counts = np.unique((truth * size + a) * size + b, return_counts=True)
    true, of_a, of_b = codes // size**2, codes // size % size, codes % size
    to_a, to_b = _Margin(true * size + of_a, size), _Margin(true * size + of_b, size)
    cells_a, cells_b = to_a(counts), to_b(counts)
    difference = float(metric.of_cells(cells_b) - metric.of_cells(cells_a))
    low, high = bounds(_resampled_differences(counts, to_a, to_b, metric, resamples, seed), level)
    differ = of_a != of_b
    null = _swapped_differences(
        counts[differ],
        _Margin((true * size + of_a)[differ], size),
        _Margin((true * size + of_b)[differ], size),
        (cells_a, cells_b),
        metric,
        resamples,
        seed,
    )
    p = float((1 + (np.abs(null) >= abs(difference) - ROUNDING).sum()) / (1 + resamples))
    return Comparison(
        a=name_a,
        b=name_b,
        split=split,
        metric=metric.use,
        difference=difference,
        low=low,
        high=high,
        p=p,
        mcnemar=mcnemar(int(((a == truth) & (b != truth)).sum()), int(((a != truth) & (b == truth)).sum())),
        n=int(truth.size),
        verdict=_verdict(-difference if metric.lower_is_better else difference, low, high, p, level),
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided McNemar p, from rows that only the first and only the second model got right.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    try:
        from scipy.stats import binomtest
    except ImportError as error:
        raise MissingExtraError(
            f"comparing models needs the package 'scipy', which is not installed ({error})",
            hint="pip install 'seedbed[train]'",
        ) from None
    return float(binomtest(only_b, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


def _verdict(
    gain: float, low: float, high: float, p: float, level: float
) -> Literal["better", "worse", "not distinguishable"]:
    if p >= 1 - level or low <= 0 <= high:
        return "not distinguishable"
    return "better" if gain > 0 else "worse"


class _Margin:
    """Adds up joint cells to one model's confusion matrix."""

    def __init__(self, cell: NDArray[np.int64], size: int) -> None:
        self.size = size
        self.order = np.argsort(cell, kind="stable")
        self.cells, self.starts = np.unique(cell[self.order], return_index=True)

    def __call__(self, counts: NDArray[Any]) -> NDArray[np.int64]:
        """Counts of joint cells, shape (..., cells), to shape (..., K, K)."""
        flat = np.zeros((*counts.shape[:-1], self.size**2), dtype=np.int64)
        flat[..., self.cells] = np.add.reduceat(counts[..., self.order], self.starts, axis=-1)
        return flat.reshape(*counts.shape[:-1], self.size, self.size)


def _resampled_differences(
    counts: NDArray[np.int64], to_a: _Margin, to_b: _Margin, metric: Metric, resamples: int, seed: int
) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    rows = counts.sum()
    found = []
    for m in pieces(resamples, max(counts.size, to_a.size**2)):
        drawn = random.multinomial(rows, counts / rows, size=m)
        found.append(metric.of_cells(to_b(drawn)) - metric.of_cells(to_a(drawn)))
    return np.concatenate(found)


def _swapped_differences(
    counts: NDArray[np.int64],
    to_a: _Margin,
    to_b: _Margin,
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    metric: Metric,
    draws: int,
    seed: int,
) -> NDArray[np.float64]:
    """Differences after swapping; takes the joint cells where the models differ, for the others cannot change."""
    if not counts.size:
        return np.zeros(draws)
    random = np.random.default_rng([seed, 1])  # not the numbers that the interval was drawn with
    found = []
    for m in pieces(draws, max(counts.size, to_a.size**2)):
        moved = random.binomial(counts, 0.5, size=(m, counts.size))
        change = to_b(moved) - to_a(moved)
        found.append(metric.of_cells(cells[1] - change) - metric.of_cells(cells[0] + change))
    return np.concatenate(found)
