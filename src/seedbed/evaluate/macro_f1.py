"""The metric `macro_f1`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .over_labels import CountMetric, mean_over_labels


class MacroF1(CountMetric):
    """The mean over labels of F1, which is high only where a label is both found and not cried falsely.

    ## Why
    Every label counts alike, and missed rows and false alarms both cost. Values are those of scikit-learn's
    `f1_score(average="macro", zero_division=0)`.

    ## Limits
    The mean is over labels that occur in the truth or in the predictions, as in scikit-learn: a label that occurs in
    neither is left out (where rows have several labels, scikit-learn counts it as 0 unless told `zero_division=nan`,
    and a resample that misses a rare label on both sides leaves it out, too). A label that is never found counts 0.
    Labels of a handful of rows move the value a lot; its interval shows that.
    """

    use: Literal["macro_f1"] = "macro_f1"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="F1 of cat is 0.5, of dog 0.75",
            before={
                "truth": ["cat", "cat", "dog", "dog", "dog", "dog"],
                "predicted": ["cat", "dog", "dog", "dog", "dog", "cat"],
            },
            after={"value": [0.625]},
        ),
    )

    def of_counts(self, hits: NDArray[Any], alarms: NDArray[Any], misses: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of 2 hits / (truth + predictions) over labels that occur; NaN where none does."""
        f1 = 2 * hits / np.maximum(2 * hits + alarms + misses, 1)
        return mean_over_labels(f1, hits, alarms, misses)
