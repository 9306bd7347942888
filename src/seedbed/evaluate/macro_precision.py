"""The metric `macro_precision`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example

from .over_labels import mean_over_labels


class MacroPrecision(DecisionMetric):
    """The mean over labels of the share of a label's predictions that were right.

    ## Why
    It says how far an answer can be believed, whichever it is and however rare. Values are those of scikit-learn's
    `precision_score` with `average="macro"` and `zero_division=0`.

    ## Limits
    The mean is over labels that occur in the truth or among the predictions. A label that is never predicted counts as
    0. It does not see what was missed: read it beside `macro_recall`, or take `macro_f1`.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["macro_precision"] = "macro_precision"

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
        """Mean of hits / predictions over labels that occur; NaN where there are no rows."""
        precision = np.diagonal(cells, axis1=-2, axis2=-1) / np.maximum(cells.sum(-2), 1)
        return mean_over_labels(precision, cells)
