"""The metric `macro_recall`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .over_labels import CountMetric, mean_over_labels


class MacroRecall(CountMetric):
    """The mean over labels of the share of a label's rows that were found.

    ## Why
    It says how much of each label is found, however rare it is. Values are those of scikit-learn's `recall_score` with
    `average="macro"` and `zero_division=0`.

    ## Limits
    The mean is over labels that occur in the truth or among the predictions: a label that only predictions have counts
    as 0 (`balanced_accuracy` leaves it out, and is the same number otherwise). Labels that occur in neither are left
    out; where rows have several labels, scikit-learn counts them as 0. It does not see false alarms.
    """

    use: Literal["macro_recall"] = "macro_recall"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="one of two cats, three of four dogs",
            before={
                "truth": ["cat", "cat", "dog", "dog", "dog", "dog"],
                "predicted": ["cat", "dog", "dog", "dog", "dog", "cat"],
            },
            after={"value": [0.625]},
        ),
    )

    def of_counts(self, hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of hits / truth over labels that occur; NaN where none does."""
        return mean_over_labels(hits / np.maximum(hits + misses, 1), hits, alarms, misses)
