"""The metric `weighted_f1`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .over_labels import CountMetric


class WeightedF1(CountMetric):
    """The mean of the labels' F1, each weighted by its share of the rows.

    ## Why
    It says what F1 a row meets on average, where labels should count as often as they occur. Values are those of
    scikit-learn's `f1_score` with `average="weighted"` and `zero_division=0`.

    ## Limits
    A label that is rare may be missed altogether at hardly any cost: `macro_f1` shows that. A label without rows in the
    truth has no weight; where rows have one label each, its false alarms show in the labels that they were taken from.
    It has no value where no row has a label.
    """

    use: Literal["weighted_f1"] = "weighted_f1"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="F1 of cat is 0.5 (2 rows), of dog 0.75 (4 rows)",
            before={
                "truth": ["cat", "cat", "dog", "dog", "dog", "dog"],
                "predicted": ["cat", "dog", "dog", "dog", "dog", "cat"],
            },
            after={"value": [4 / 6]},
        ),
    )

    def of_counts(self, hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of 2 hits / (truth + predictions), by rows of the truth; NaN where there are none."""
        support = hits + misses
        f1 = 2 * hits / np.maximum(support + hits + alarms, 1)
        rows = support.sum(-1)
        return np.asarray(np.where(rows > 0, (f1 * support).sum(-1) / np.maximum(rows, 1), np.nan))
