"""The metric `micro_f1`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example


class MicroF1(DecisionMetric):
    """F1 over all labels' hits, false alarms and misses together.

    ## Why
    It is asked for by name where results are compared with papers. Values are those of scikit-learn's `f1_score` with
    `average="micro"`.

    ## Limits
    Where each row has one true and one predicted label, every mistake is one label's false alarm and another's miss, so
    that it is the same number as `accuracy`. Frequent labels decide it: read `macro_f1` beside it.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

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

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Hits over rows; NaN where there are no rows."""
        hits = np.trace(cells, axis1=-2, axis2=-1)
        rows = cells.sum((-2, -1))
        return np.asarray(np.where(rows > 0, 2 * hits / np.maximum(2 * rows, 1), np.nan))
