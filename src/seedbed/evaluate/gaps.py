"""The largest minus the smallest of what is measured of several groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedbed.core.scrutiny import Gap

#: Resamples, and permutations.
DRAWS = 2_000


def gap_of(
    measure: str,
    label: str | None,
    value: float,
    resampled: NDArray[np.float64],
    null: NDArray[np.float64],
    level: float,
    *,
    most: float,
) -> Gap:
    """A gap with its interval, reflected at the value because chance widens gaps, and its p."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    p = float((1 + (null >= value - 1e-12).sum()) / (1 + null.size))
    return Gap(
        measure=measure,
        label=label,
        value=value,
        low=float(max(0.0, min(2 * value - high, value))),
        high=float(min(most, max(2 * value - low, value))),
        by_chance=float(null.mean()),
        p=p,
        p_holm=p,
        differs=False,
    )
