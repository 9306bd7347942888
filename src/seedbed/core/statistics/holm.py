"""Several questions to the same rows: the more one asks, the more answers come by chance.

Holm's step-down procedure keeps the chance that any answer is wrong at the level of one: the smallest p is multiplied
by the number of questions, the next by one less, and so on, none below the one before (Holm 1979, *A simple
sequentially rejective multiple test procedure*). It holds however the questions depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(chances: Sequence[float]) -> list[float]:
    """p-values with Holm's correction, in the order given."""
    p = np.asarray(chances, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(raised, 1.0)
    return [float(one) for one in found]
