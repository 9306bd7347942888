"""The metric `top_3_accuracy`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example

from .mean_of_rows import MeanOfRows

TOP = 3


class Top3Accuracy(MeanOfRows, ProbabilityMetric):
    """The share of rows whose label is among the three most probable ones.

    ## Why
    Where a person chooses from a short list of proposals, it says how often the right one is on it. Values are those of
    scikit-learn's `top_k_accuracy_score` with `k=3`, but for ties.

    ## Limits
    With up to three labels it is always 1. Of equally probable labels the first in the task's order come first, as in
    every decision of Seedbed (scikit-learn takes the last ones).
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["top_3_accuracy"] = "top_3_accuracy"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="third, first, second and last of four",
            before={
                "truth": ["ant", "bee", "cat", "dog"],
                "probabilities": [
                    [0.2, 0.4, 0.3, 0.1],
                    [0.1, 0.6, 0.2, 0.1],
                    [0.1, 0.2, 0.3, 0.4],
                    [0.4, 0.3, 0.2, 0.1],
                ],
            },
            after={"value": [0.75]},
        ),
    )

    def each(self, truth: NDArray[np.int64], answers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the label is among the first three."""
        first = np.argsort(-answers, axis=1, kind="stable")[:, :TOP]
        return np.asarray((first == truth[:, None]).any(axis=1))
