"""How many different values there are, and how many come once: exact for as many as fit, an estimate above.

The values with the smallest hashes are a sample of all different values, whatever the order of the rows, and each of
them is counted in full, because a hash that is among the smallest at the end always was. Two such samples merge into
that of both tables. Sources: Bar-Yossef et al., "Counting distinct elements in a data stream" (2002); Cohen and Kaplan,
"Summarizing data using bottom-k sketches" (2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seedbed.core.profile import Estimate

from .hashed import Hashes

#: Standard errors on either side of an estimate: 99 %.
_Z = 2.576


def _no_hashes() -> Hashes:
    return np.empty(0, np.uint64)


def _no_counts() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass
class Distinct:
    """A sample of different values with their counts."""

    most: int
    """Different values that are held."""
    hashes: Hashes = field(default_factory=_no_hashes)
    counts: NDArray[np.int64] = field(default_factory=_no_counts)
    full: bool = False
    """Whether there were more than are held."""
    values: int = 0
    """Values in all."""

    def add(self, hashes: Hashes, counts: NDArray[np.int64]) -> None:
        """Take in values, each once, with their counts."""
        self.values += int(counts.sum())
        if self.full:
            low = hashes <= self.hashes[-1]
            hashes, counts = hashes[low], counts[low]
        if len(hashes):
            self._take(hashes, counts)

    def merge(self, other: Distinct) -> None:
        """Take in those of another."""
        self.values += other.values
        self.full |= other.full
        self._take(other.hashes, other.counts)

    def _take(self, hashes: Hashes, counts: NDArray[np.int64]) -> None:
        joined = np.concatenate([self.hashes, hashes])
        found, inverse = np.unique(joined, return_inverse=True)
        summed = np.bincount(inverse, weights=np.concatenate([self.counts, counts]), minlength=len(found))
        self.full |= len(found) > self.most
        self.hashes, self.counts = found[: self.most].copy(), summed[: self.most].astype(np.int64)

    def distinct(self) -> Estimate:
        """Different values; of two estimates that with the smaller error."""
        held = len(self.hashes)
        if not self.full:
            return Estimate.counted(held, self.values)
        mean, spread = float(self.counts.mean()), float(self.counts.std())
        by_share = 1 / math.sqrt(held - 2)  # from how small the hashes are
        by_count = spread / mean / math.sqrt(held)  # from how often a value comes: rows over that
        share = (int(self.hashes[-1]) + 1) / 2**64
        value, error = (self.values / mean, by_count) if by_count < by_share else ((held - 1) / share, by_share)
        # Where all in the sample come equally often, at most 4.6 in `held` of the others do not (99 %).
        error = max(_Z * error, 4.6 / held)
        low, high = max(held, value * (1 - error)), min(self.values, value * (1 + error))
        return Estimate(value=round(value), low=math.floor(low), high=math.ceil(high), of=self.values)

    def copies(self) -> Estimate:
        """Values that stood before."""
        different = self.distinct()
        return Estimate(
            value=self.values - different.value,
            low=self.values - different.high,
            high=self.values - different.low,
            of=self.values,
        )

    def once(self) -> Estimate:
        """Different values that come once."""
        alone, held = int((self.counts == 1).sum()), len(self.hashes)
        if not self.full or not held:
            return Estimate.counted(alone, self.values)
        different = self.distinct()
        share = alone / held
        error = _Z * math.sqrt(share * (1 - share) / held)
        return Estimate(
            value=round(different.value * share),
            low=math.floor(different.low * max(0, share - error)),
            high=math.ceil(different.high * min(1, share + error)),
            of=self.values,
        )
