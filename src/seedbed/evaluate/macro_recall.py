"""The metric `macro_recall`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example

from .over_labels import mean_over_labels


class MacroRecall(DecisionMetric):
    """The mean over labels of the share of a label's rows that were found.

    ## Why
    It says how much of each label is found, however rare it is. Values are those of scikit-learn's `recall_score` with
    `average="macro"` and `zero_division=0`.

    ## Limits
    The mean is over labels that occur in the truth or among the predictions: a label that only predictions have counts
    as 0 (`balanced_accuracy` leaves it out, and is the same number otherwise). It does not see false alarms.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

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

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of hits / truth over labels that occur; NaN where there are no rows."""
        recall = np.diagonal(cells, axis1=-2, axis2=-1) / np.maximum(cells.sum(-1), 1)
        return mean_over_labels(recall, cells)
