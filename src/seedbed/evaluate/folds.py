"""What a cross-validation says about a learner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seedbed.core.metric import Metric
from seedbed.core.run import FoldScores


def fold_scores(metric: Metric, values: Sequence[float], *, level: float = 0.95) -> FoldScores:
    """The mean of a metric over k folds, with the corrected t interval of Nadeau and Bengio.

    Folds share most of their training rows, so that their values are more alike than k independent ones: the variance
    of the mean is taken to be (1/k + 1/(k - 1)) times that of the values, where 1/(k - 1) is held-out rows by training
    rows (Nadeau & Bengio 2003, *Inference for the Generalization Error*), with k - 1 degrees of freedom.

    Args:
        metric: What was measured; the interval stays within what it can be.
        values: One a fold, at least two.
        level: Coverage of the interval.
    """
    from scipy.special import stdtrit

    k = len(values)
    mean = float(np.mean(values))
    reach = float(stdtrit(k - 1, (1 + level) / 2) * np.sqrt((1 / k + 1 / (k - 1)) * np.var(values, ddof=1)))
    low, high = max(mean - reach, metric.lowest), min(mean + reach, metric.highest)
    return FoldScores(values=tuple(map(float, values)), mean=mean, low=low, high=high)
