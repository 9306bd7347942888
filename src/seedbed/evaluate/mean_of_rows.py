"""Metrics that are the mean of a number of each row."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Answers, SumMetric, Truth


class MeanOfRows(SumMetric):
    """The mean of a number that each row has by itself."""

    @abstractmethod
    def each(self, truth: Truth, answers: Answers) -> NDArray[Any]:
        """The number of each row, shape (rows,)."""

    def sums(self, truth: Truth, answers: Answers) -> NDArray[np.float64]:
        """Each row's number, and that it is one row."""
        each = np.asarray(self.each(truth, answers), dtype=np.float64)
        return np.stack([each, np.ones_like(each)], axis=1)

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean; NaN where there are no rows."""
        total, rows = sums[..., 0], sums[..., 1]
        return np.asarray(np.where(rows > 0, total / np.where(rows > 0, rows, 1), np.nan))

    def unseen(self, truth: Truth, answers: Answers, level: float) -> float | None:
        """The mean were as many rows at the other end of what can be as may be and not show, if all are at one end.

        Of n rows, that is a share of at most 1 - (alpha/2)^(1/n) (Clopper & Pearson 1934).
        """
        each = np.asarray(self.each(truth, answers), dtype=np.float64)
        for end, other in ((self.lowest, self.highest), (self.highest, self.lowest)):
            if each.size and math.isfinite(other) and (each == end).all():
                return float(end + (1 - ((1 - level) / 2) ** (1 / each.size)) * (other - end))
        return None
