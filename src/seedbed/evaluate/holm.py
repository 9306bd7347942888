"""What comparisons of models say, once chance has its due: Holm's correction (`core/statistics`), and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from seedbed.core.metric import Metric
from seedbed.core.run import Comparison
from seedbed.core.statistics.holm import holm

Verdict = Literal["better", "worse", "not distinguishable"]


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
