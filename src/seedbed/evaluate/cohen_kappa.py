"""The metric `cohen_kappa`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example


class CohenKappa(DecisionMetric):
    """How much more often the predictions are right than if they were dealt out by chance, as often each label.

    ## Why
    It is accuracy with chance taken out: 0 for any model that does not look at the rows, 1 for one that is always right
    (Cohen 1960, *A Coefficient of Agreement for Nominal Scales*). It is also what annotators are compared with, so that
    a model can be held against a second person. Values are those of scikit-learn's `cohen_kappa_score`.

    ## Limits
    Where one label is nearly everything, it is low even for models that are nearly always right, and values for other
    shares of the labels do not compare. It has no value where truth and predictions are one and the same label.
    """

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    use: Literal["cohen_kappa"] = "cohen_kappa"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="three of four right, where chance gets two",
            before={"truth": ["cat", "cat", "dog", "dog"], "predicted": ["cat", "dog", "dog", "dog"]},
            after={"value": [0.5]},
        ),
        Example(
            title="the same answer to everything",
            before={"truth": ["cat", "dog", "dog"], "predicted": ["dog", "dog", "dog"]},
            after={"value": [0.0]},
        ),
    )

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """(Hits - those by chance) / (rows - those by chance); NaN where chance is always right, or without rows."""
        rows = cells.sum((-2, -1))
        hits = np.trace(cells, axis1=-2, axis2=-1) * rows
        chance = (cells.sum(-1) * cells.sum(-2)).sum(-1)
        left = rows * rows - chance
        return np.asarray(np.where(left > 0, (hits - chance) / np.where(left > 0, left, 1), np.nan))
