"""The metric `median_absolute_error`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Metric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .of_numbers import Floats, errors_of
from .ranking import blocks


class MedianAbsoluteError(Metric):
    """The distance between answer and truth that half of the rows stay below (median absolute error).

    ## Why
    It is what a typical answer is off by, in the number's own unit: up to half of the rows may be as wild as they like.
    Lower is better. Values are those of scikit-learn's `median_absolute_error`.

    ## Limits
    It does not see the worse half of the answers at all: read `mae` or `rmse` beside it. Of an even number of rows the
    mean of the two in the middle is told. Its intervals are percentiles of resampled medians, which move in steps where
    rows are few.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    use: Literal["median_absolute_error"] = "median_absolute_error"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="off by 0, 1 and 900",
            before={"truth": [3.0, 5.0, 7.0], "answers": [3.0, 6.0, 907.0]},
            after={"value": [1.0]},
        ),
        Example(
            title="off by 0, 1, 2 and 900: between 1 and 2",
            before={"truth": [3.0, 5.0, 7.0, 7.0], "answers": [3.0, 6.0, 907.0, 9.0]},
            after={"value": [1.5]},
        ),
    )

    def of_rows(self, truth: Floats, answers: Floats, weights: NDArray[Any]) -> Floats:
        """Weighted medians: of rows that stand there as often as they count; NaN where there are none."""
        errors = np.abs(errors_of(truth, answers))
        order = np.argsort(errors, kind="stable")
        ranked = np.append(errors[order], np.nan)  # where there are no rows, the place behind the last is found
        found = np.empty(len(weights))
        for here, block in blocks(weights, counted=True):
            upto = np.cumsum(np.take(block, order, axis=0), axis=0)
            twice, rows = 2 * upto, upto[-1] if len(upto) else np.zeros(block.shape[1])
            middle = ranked[(twice < rows).sum(axis=0)], ranked[(twice <= rows).sum(axis=0)]
            found[here] = np.where(rows > 0, (middle[0] + middle[1]) / 2, np.nan)
        return found
