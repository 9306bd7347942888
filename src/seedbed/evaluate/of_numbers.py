"""What metrics of numbers share: how far answers are off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: An answer that is further off counts as so far: sums of squares stay finite.
FURTHEST = 1e150


def errors_of(truth: Floats, answers: Floats) -> Floats:
    """How far answers, shape (rows, 1), are above or below what is right, shape (rows,): shape (rows,)."""
    return np.asarray((answers[:, 0] - truth).clip(-FURTHEST, FURTHEST))
