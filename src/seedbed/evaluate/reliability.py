"""How often a model was right, by how sure it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score
from seedbed.core.run import ReliabilityBin

from .expected_calibration_error import BINS, binned


def reliability(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], *, level: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """The bins of `expected_calibration_error` that hold rows, each with an exact interval of its share of right rows.

    Args:
        truth: True label of each row, from 0, shape (rows,).
        probabilities: Of each label, shape (rows, K).
        level: Coverage of the intervals (Clopper & Pearson 1934).
    """
    right, confidence, places = binned(truth, probabilities)
    rows = np.bincount(places, minlength=BINS)
    hits = np.bincount(places, right, BINS).astype(np.int64)
    sure = np.bincount(places, confidence, BINS)
    return tuple(
        ReliabilityBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            rows=int(rows[place]),
            confidence=float(sure[place] / rows[place]),
            accuracy=share(int(hits[place]), int(rows[place]), level),
        )
        for place in np.flatnonzero(rows)
    )


def share(hits: int, rows: int, level: float) -> Score:
    """Hits among rows, at least one, with the exact interval of Clopper and Pearson."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(hits, rows - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, rows - hits, 1 - tail)) if hits < rows else 1.0
    return Score(value=hits / rows, low=low, high=high, n=rows)
