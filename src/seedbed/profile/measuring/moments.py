"""Mean, spread and skewness of numbers that come in batches; the ends are exact, with the rows that they stand in.

Batches are joined as Chan, Golub and LeVeque ("Updating formulae and a pairwise algorithm for computing sample
variances", 1979) and, for the third moment, Pébay (Sandia report SAND2008-6212, 2008) say: no difference of large sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Digits of a float that do not depend on how rows were cut into batches.
DIGITS = 10
_LARGEST = 1.7e308
#: Where squares are smaller, cubes are nothing.
_SMALLEST = 1e-200


def settled(value: float) -> float:
    """A number without the last digits, which depend on the order of sums; JSON knows no infinity."""
    if math.isnan(value):
        return 0.0
    return float(f"{max(-_LARGEST, min(_LARGEST, value)):.{DIGITS}g}")


@dataclass
class Moments:
    """Count, sum of powers around the mean, and ends."""

    n: int = 0
    mean: float = 0.0
    second: float = 0.0
    third: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def add(self, values: Numbers) -> None:
        """Take in finite numbers."""
        if not len(values):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean())
            away = values - mean
            square = away * away
            second, third = float(square.sum()), float((square * away).sum())
        self.merge(Moments(len(values), mean, second, third, float(values.min()), float(values.max())))

    def merge(self, other: Moments) -> None:
        """Take in those of another."""
        if not other.n:
            return
        a, b, n = self.n, other.n, self.n + other.n
        apart = other.mean - self.mean
        try:
            self.third += other.third + apart**3 * a * b * (a - b) / n**2
            self.third += 3 * apart * (a * other.second - b * self.second) / n
            self.second += other.second + apart**2 * a * b / n
        except OverflowError:
            self.second = self.third = math.inf
        self.mean += apart * b / n
        self.n, self.low, self.high = n, min(self.low, other.low), max(self.high, other.high)

    @property
    def sd(self) -> float:
        """Standard deviation of a sample."""
        return settled(math.sqrt(self.second / (self.n - 1))) if self.n > 1 else 0.0

    @property
    def skew(self) -> float:
        """Skewness; 0 where nothing differs."""
        if self.n < 2 or not _SMALLEST < self.second < math.inf:
            return 0.0
        return settled(math.sqrt(self.n) * self.third / math.sqrt(self.second) / self.second)
