"""The metric `balanced_accuracy`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example


class BalancedAccuracy(DecisionMetric):
    """The mean over labels of the share of that label's rows that were found (mean recall).

    ## Why
    Every label counts alike however rare it is, and a model that always gives the same answer gets one over the number
    of labels. Values are those of scikit-learn's `balanced_accuracy_score`.

    ## Limits
    The mean is over labels that occur in the truth, as in scikit-learn: a label without rows is left out. It
    does not see how many false alarms a label collects; `macro_f1`
    does.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["balanced_accuracy"] = "balanced_accuracy"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="all of the dogs, half of the cats",
            before={"truth": ["cat", "cat", "dog", "dog"], "predicted": ["cat", "dog", "dog", "dog"]},
            after={"value": [0.75]},
        ),
        Example(
            title="a label that only predictions have is left out",
            before={"truth": ["cat", "cat", "dog"], "predicted": ["cat", "fox", "dog"]},
            after={"value": [0.75]},
        ),
    )

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Mean recall over labels with rows; NaN where there are no rows."""
        support = cells.sum(-1)
        recall = np.diagonal(cells, axis1=-2, axis2=-1) / np.maximum(support, 1)
        present = (support > 0).sum(-1)
        return np.asarray(np.where(present > 0, recall.sum(-1) / np.maximum(present, 1), np.nan))
