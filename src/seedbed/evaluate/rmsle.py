"""The metric `rmsle`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .of_numbers import Floats


class Rmsle(MeanOfRows):
    """The root of the mean squared difference of the logarithms of 1 + answer and 1 + truth.

    ## Why
    Prices, counts and durations span orders of magnitude, and what matters is by what factor an answer is off: 20 for
    10 is as bad as 2,000 for 1,000. Errors of 5, 10 and 20 % come out as about 0.05, 0.10 and 0.18. Lower is better; 0
    is perfect. Values are those of scikit-learn's `root_mean_squared_log_error`.

    ## Limits
    It has no value, and is left out of the scores, where a truth or an answer is below 0 (scikit-learn takes numbers
    above -1). Too low an answer costs more than one that is as much too high. Below about 10 the 1 that is added blurs
    factors.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    lower_is_better: ClassVar[bool] = True
    no_value: ClassVar[str] = "a target or an answer is below 0"
    lowest: ClassVar[float] = 0.0

    use: Literal["rmsle"] = "rmsle"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="twice, and half: ln 2 each",
            before={"truth": [9.0, 99.0], "answers": [19.0, 49.0]},
            after={"value": [0.6931471805599453]},
        ),
        Example(
            title="an answer below 0: no value",
            before={"truth": [9.0, 99.0], "answers": [19.0, -1.0]},
            after={"value": [float("nan")]},
        ),
    )

    def each(self, truth: Floats, answers: Floats) -> Floats:
        """The squared difference of the logarithms; of 0 instead of what is below."""
        apart = np.log1p(np.maximum(answers[:, 0], 0)) - np.log1p(np.maximum(truth, 0))
        return np.asarray(apart**2)

    def sums(self, truth: Floats, answers: Floats) -> Floats:
        """The same, that it is one row, and whether truth or answer is below 0: shape (rows, 3)."""
        below = (truth < 0) | (answers[:, 0] < 0)
        return np.column_stack([super().sums(truth, answers), below])

    def of_sums(self, sums: Floats) -> Floats:
        """The root of the mean; NaN where there are no rows, or one with a number below 0."""
        return np.sqrt(np.where(sums[..., 2] > 0, np.nan, super().of_sums(sums)))
