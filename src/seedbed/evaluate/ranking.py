"""Rows ranked by the probability of one label: what ROC, precision and recall at every threshold are made of.

Thousands of resamples are weights over the same rows, so rows are sorted once, and sums over the sorted weights tell
each resample's value. Resamples stand side by side in memory, so that a sum goes over all of them at a stroke.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Measure, ProbabilityMetric
from seedbed.core.task import Says

from .over_labels import held_of

#: Rows times resamples that are looked at together: they fit into the cache of a core.
_BLOCK_CELLS = 1 << 18
_FEWEST = 8

# Counts of pairs of so many rows fit 32-bit integers, which are added up twice as fast as floats.
_COUNTED_ROWS = 30_000

Weights = NDArray[Any]


def blocks(weights: Weights, *, counted: bool = False) -> Iterator[tuple[slice, Weights]]:
    """Cut weights of shape (resamples, rows) into blocks; yields which resamples, and theirs, shape (rows, m).

    Floats; where they are `counted` whole numbers of few enough rows, 32-bit integers.
    """
    resamples, rows = weights.shape
    few = counted and weights.dtype.kind in "iu" and weights.sum(axis=1).max(initial=0) <= _COUNTED_ROWS
    most = max(_FEWEST, _BLOCK_CELLS // max(1, rows))
    for start in range(0, resamples, most):
        here = slice(start, start + most)
        yield here, np.ascontiguousarray(weights[here].T, dtype=np.int32 if few else np.float64)


class Ranking:
    """Rows by how probable one label is for them, the most probable first."""

    def __init__(self, holds: NDArray[np.bool_], scores: NDArray[np.float64]) -> None:
        """Sort.

        Args:
            holds: Whether a row has the label, shape (rows,).
            scores: Probability of the label, shape (rows,).
        """
        order = np.argsort(-scores, kind="stable")
        self.having, self.lacking = order[holds[order]], order[~holds[order]]
        """Rows that have the label, and rows that do not, each the most probable first."""
        with_label, without = -scores[self.having], -scores[self.lacking]
        self._above = np.searchsorted(with_label, without, side="left")
        self._level = np.searchsorted(with_label, without, side="right")
        # At the threshold of each row that has the label: rows that count as found, those of equal score included.
        self._found_having = np.searchsorted(with_label, with_label, side="right")
        self._found_lacking = np.searchsorted(without, with_label, side="right")

    def roc_area(self, weights: Weights) -> NDArray[np.float64]:
        """Area under the ROC curve: the share of pairs, one with the label and one without, in the right order.

        Pairs of equal scores count half (the Mann-Whitney statistic; Hanley & McNeil 1982).

        Args:
            weights: How often each row counts, shape (rows, resamples).

        Returns:
            Shape (resamples,); NaN where there are no such pairs.
        """
        having, lacking = _summed(weights, self.having), np.take(weights, self.lacking, axis=0)
        ahead, times = np.take(having, self._above, axis=0), 1
        if not np.array_equal(self._above, self._level):
            ahead, times = ahead + np.take(having, self._level, axis=0), 2
        pairs = having[-1].astype(np.float64) * lacking.sum(axis=0)
        right = np.einsum("ij,ij->j", ahead, lacking) / times
        return np.asarray(np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1), np.nan))

    def average_precision(self, weights: Weights) -> NDArray[np.float64]:
        """Average precision: the mean of the precision at the threshold of each row that has the label.

        Args:
            weights: How often each row counts, shape (rows, resamples).

        Returns:
            Shape (resamples,); NaN where no row has the label.
        """
        having, lacking = _summed(weights, self.having), _summed(weights, self.lacking)
        mine = np.diff(having, axis=0)
        hits = np.take(having, self._found_having, axis=0)
        found = hits + np.take(lacking, self._found_lacking, axis=0)
        total = having[-1]
        reached = np.einsum("ij,ij->j", mine, hits / np.maximum(found, 1))
        return np.asarray(np.where(total > 0, reached / np.where(total > 0, total, 1), np.nan))


def _summed(weights: Weights, rows: NDArray[np.int64]) -> Weights:
    """Sums of the weights of the first 0, 1, 2, … of some rows, shape (those rows + 1, resamples)."""
    sums = np.zeros((len(rows) + 1, weights.shape[1]), dtype=weights.dtype)
    np.cumsum(np.take(weights, rows, axis=0), axis=0, out=sums[1:])
    return sums


def mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over labels of shape (labels, resamples) that leaves NaN out; NaN where nothing else is there."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


class RankingMetric(ProbabilityMetric):
    """The mean over labels of what the ranking of the rows by each label's probability tells."""

    says: ClassVar[tuple[Says, ...]] = ("label", "labels")
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    @abstractmethod
    def of_ranking(self, ranking: Ranking, weights: Weights) -> NDArray[np.float64]:
        """Values for one label: weights of shape (rows, resamples) to shape (resamples,); NaN where there is none."""

    def ranked(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> list[Ranking]:
        """The rankings that count, one a label."""
        held = held_of(truth, answers.shape[1])
        return [Ranking(has, scores) for has, scores in zip(held.T, answers.T, strict=True)]

    def of_rows(self, truth: NDArray[Any], answers: NDArray[np.float64], weights: NDArray[Any]) -> NDArray[np.float64]:
        """The mean over labels."""
        return self.over(truth, answers)(weights)

    def over(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> Measure:
        """Rows are sorted once."""
        rankings = self.ranked(truth, answers)

        def measured(weights: NDArray[Any]) -> NDArray[np.float64]:
            found = np.empty(len(weights))
            for here, block in blocks(weights, counted=True):
                found[here] = mean_of_known(np.stack([self.of_ranking(one, block) for one in rankings]))
            return found

        return measured
