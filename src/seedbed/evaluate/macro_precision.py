"""The metric `macro_precision`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .over_labels import CountMetric, mean_over_labels


class MacroPrecision(CountMetric):
    """The mean over labels of the share of a label's predictions that were right.

    ## Why
    It says how far an answer can be believed, whichever it is and however rare. Values are those of scikit-learn's
    `precision_score` with `average="macro"` and `zero_division=0`.

    ## Limits
    The mean is over labels that occur in the truth or among the predictions (where rows have several labels,
    scikit-learn counts others as 0). A label that is never predicted counts as 0. It does not see what was missed: read
    it beside `macro_recall`, or take `macro_f1`.
    """

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

    def of_counts(self, hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of hits / predictions over labels that occur; NaN where none does."""
        return mean_over_labels(hits / np.maximum(hits + alarms, 1), hits, alarms, misses)
