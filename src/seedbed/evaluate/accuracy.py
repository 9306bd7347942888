"""The metric `accuracy`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .over_labels import sets_of


class Accuracy(MeanOfRows, DecisionMetric):
    """The share of rows whose label was predicted; of rows with several, whose labels were predicted and no others.

    ## Why
    Everybody understands it, and it is what a user of the model meets on average. Values are those of scikit-learn's
    `accuracy_score`.

    ## Limits
    A model that always answers with the most frequent label gets that label's share. Where classes are uneven, read
    `macro_f1` or `balanced_accuracy` beside it. Of rows with several labels it forgives nothing: one wrong label of
    twenty counts as much as twenty (`hamming_loss` counts labels).
    """

    says: ClassVar[tuple[Says, ...]] = ("label", "labels")
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["accuracy"] = "accuracy"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="three of four",
            before={"truth": ["cat", "cat", "dog", "dog"], "predicted": ["cat", "dog", "dog", "dog"]},
            after={"value": [0.75]},
        ),
    )

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Hits over rows; NaN where there are no rows."""
        hits = np.trace(cells, axis1=-2, axis2=-1)
        rows = cells.sum((-2, -1))
        return np.asarray(np.where(rows > 0, hits / np.maximum(rows, 1), np.nan))

    def each(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each row's labels are those that were decided."""
        held, decided = sets_of(truth, answers)
        return np.asarray((held == decided).all(axis=1))
