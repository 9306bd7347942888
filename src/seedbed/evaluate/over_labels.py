"""Metrics of decided labels: of one a row, or of several; one label a row is a set of one."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric, SumMetric
from seedbed.core.task import Says

#: A label of a set is decided from this probability on.
DECIDED = 0.5

Held = NDArray[np.bool_]


def sets_of(truth: NDArray[Any], answers: NDArray[np.float64]) -> tuple[Held, Held]:
    """Which labels each row has, and which were decided, both of shape (rows, labels).

    Args:
        truth: The label of each row, from 0, shape (rows,), or which labels each row has, shape (rows, labels).
        answers: Probabilities, shape (rows, labels): the most probable label is decided, the first of equals; or, where
            rows have sets, every label from `DECIDED` on.
    """
    if truth.ndim == 2:
        return truth, answers >= DECIDED
    return held_of(truth, answers.shape[1]), held_of(answers.argmax(axis=1), answers.shape[1])


def held_of(truth: NDArray[Any], labels: int) -> Held:
    """Which labels each row has, shape (rows, labels), where each has one, shape (rows,), or where it is told so."""
    return truth if truth.ndim == 2 else truth[:, None] == np.arange(labels)


class CountMetric(SumMetric, DecisionMetric):
    """A metric that each label's hits, false alarms and misses tell, whether rows have one label or several."""

    says: ClassVar[tuple[Says, ...]] = ("label", "labels")
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    @abstractmethod
    def of_counts(self, hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]) -> NDArray[np.float64]:
        """Values of what was counted of each label, each of shape (..., labels), to shape (...); NaN without rows."""

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """What confusion matrices hold of each label."""
        hits = np.diagonal(cells, axis1=-2, axis2=-1)
        return self.of_counts(hits, cells.sum(-2) - hits, cells.sum(-1) - hits)

    def sums(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row's hits, false alarms and misses of each label, shape (rows, 3 labels)."""
        held, decided = sets_of(truth, answers)
        return np.concatenate([held & decided, ~held & decided, held & ~decided], axis=1).astype(np.float64)

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """What was added up, label by label."""
        return self.of_counts(*np.split(sums, 3, axis=-1))

    def unseen(self, truth: NDArray[Any], answers: NDArray[np.float64], level: float) -> float | None:
        """The value with as many mistakes (or hits) as could be there and not show; none where both do show.

        Of n rows without a mistake, or without a hit, the share of those with one is at most 1 - (alpha/2)^(1/n)
        (Clopper & Pearson 1934).
        """
        hits, alarms, misses = np.split(self.sums(truth, answers).sum(axis=0), 3)
        share = 1 - ((1 - level) / 2) ** (1 / len(truth))
        if not alarms.any() and not misses.any():
            return float(self.of_counts(hits * (1 - share), hits * share, hits * share))
        if not hits.any():
            return float(self.of_counts(misses * share, alarms * (1 - share), misses * (1 - share)))
        return None


def mean_over_labels(
    shares: NDArray[Any], hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]
) -> NDArray[np.float64]:
    """The mean of a number per label, over labels that occur in the truth or among the predictions.

    Args:
        shares: Shape (…, labels); 0 for labels that do not occur.
        hits: Rows of each label that were found, shape (…, labels).
        alarms: Rows that were falsely taken for it.
        misses: Rows of it that were not found.

    Returns:
        Shape (…); NaN where no label occurs.
    """
    present = (hits + alarms + misses > 0).sum(-1)
    return np.asarray(np.where(present > 0, shares.sum(-1) / np.maximum(present, 1), np.nan))
