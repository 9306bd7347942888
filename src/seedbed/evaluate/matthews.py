"""The metric `matthews`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import DecisionMetric
from seedbed.core.part import Example


class Matthews(DecisionMetric):
    """The correlation of truth and predictions: the Matthews coefficient.

    ## Why
    With two labels, it is high only where all four are: the share of each label's rows that were found, and the share
    of each prediction's rows that were right. So it is trusted where one label is rare (Matthews 1975, *Comparison of
    the predicted and observed secondary structure of T4 phage lysozyme*; for more labels Gorodkin 2004, *Comparing two
    K-category assignments by a K-category correlation coefficient*). Values are those of scikit-learn's
    `matthews_corrcoef`.

    ## Limits
    0 is what chance gets, and also what every model gets that always answers the same, or where all rows have the same
    label. With more than two labels it does not reach -1. A value is hard to say in words: read `macro_f1` beside it.
    """

    lowest: ClassVar[float] = -1.0
    highest: ClassVar[float] = 1.0

    use: Literal["matthews"] = "matthews"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="one cat of two is taken for a dog",
            before={"truth": ["cat", "cat", "dog", "dog"], "predicted": ["cat", "dog", "dog", "dog"]},
            after={"value": [3**-0.5]},
        ),
    )

    def of_cells(self, cells: NDArray[Any]) -> NDArray[np.float64]:
        """Covariance over the root of both variances; 0 where there is none, NaN where there are no rows."""
        cells = np.asarray(cells, dtype=np.float64)
        rows = cells.sum((-2, -1))
        true, told = cells.sum(-1), cells.sum(-2)
        together = np.trace(cells, axis1=-2, axis2=-1) * rows - (true * told).sum(-1)
        spread = np.sqrt((rows**2 - (true**2).sum(-1)) * (rows**2 - (told**2).sum(-1)))
        found = np.where(spread > 0, together / np.where(spread > 0, spread, 1), 0.0)
        return np.asarray(np.where(rows > 0, found, np.nan))
