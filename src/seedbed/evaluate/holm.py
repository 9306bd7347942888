"""Several questions to the same rows: the more one asks, the more answers come by chance.

Holm's step-down procedure keeps the chance that any answer is wrong at the level of one: the smallest p is multiplied
by the number of questions, the next by one less, and so on, none below the one before (Holm 1979, *A simple
sequentially rejective multiple test procedure*). It holds however the questions depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from seedbed.core.metric import Metric
from seedbed.core.run import Comparison

Verdict = Literal["better", "worse", "not distinguishable"]


def holm(chances: Sequence[float]) -> list[float]:
    """p-values with Holm's correction, in the order given."""
    p = np.asarray(chances, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(raised, 1.0)
    return [float(one) for one in found]


def verdict(gain: float, low: float, high: float, p: float, level: float) -> Verdict:
    """What a difference says: something only where p is small and the interval excludes 0.

    Args:
        gain: The difference, above 0 where the second is better.
        low: Lower end of the interval of the difference.
        high: Upper end.
        p: Corrected.
        level: Of the interval; p counts as small below 1 - level.
    """
    if p >= 1 - level or low <= 0 <= high:
        return "not distinguishable"
    return "better" if gain > 0 else "worse"


def with_holm(comparisons: Sequence[Comparison], metrics: Sequence[Metric], level: float) -> tuple[Comparison, ...]:
    """Comparisons with `p_holm` and the verdict that goes by it: corrected over all comparisons of the same metric."""
    lower = {metric.use for metric in metrics if metric.lower_is_better}
    corrected: dict[int, float] = {}
    for name in dict.fromkeys(one.metric for one in comparisons):
        places = [i for i, one in enumerate(comparisons) if one.metric == name]
        corrected.update(zip(places, holm([comparisons[i].p for i in places]), strict=True))
    return tuple(
        one.model_copy(
            update={
                "p_holm": corrected[i],
                "verdict": verdict(
                    -one.difference if one.metric in lower else one.difference, one.low, one.high, corrected[i], level
                ),
            }
        )
        for i, one in enumerate(comparisons)
    )
