"""The metric `micro_f1`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .over_labels import CountMetric


class MicroF1(CountMetric):
    """F1 over all labels' hits, false alarms and misses together.

    ## Why
    It is asked for by name where results are compared with papers. Values are those of scikit-learn's `f1_score` with
    `average="micro"`.

    ## Limits
    Where each row has one true and one predicted label, every mistake is one label's false alarm and another's miss, so
    that it is the same number as `accuracy`; where rows have several, it is not. Frequent labels decide it: read
    `macro_f1` beside it. It has no value where no label occurs, neither in the truth nor among the predictions.
    """

    use: Literal["micro_f1"] = "micro_f1"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="four of six, as accuracy",
            before={
                "truth": ["cat", "cat", "dog", "dog", "dog", "dog"],
                "predicted": ["cat", "dog", "dog", "dog", "dog", "cat"],
            },
            after={"value": [4 / 6]},
        ),
    )

    def of_counts(self, hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]) -> NDArray[np.float64]:
        """2 hits / (truth + predictions), of all labels together; NaN where none occurs."""
        found = 2 * hits.sum(-1)
        either = found + alarms.sum(-1) + misses.sum(-1)
        return np.asarray(np.where(either > 0, found / np.maximum(either, 1), np.nan))
