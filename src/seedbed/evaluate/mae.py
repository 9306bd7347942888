"""The metric `mae`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .of_numbers import Floats, errors_of


class Mae(MeanOfRows):
    """The mean distance between answer and truth (mean absolute error).

    ## Why
    It is how far answers are off on average, in the number's own unit, and everybody understands it. Each unit of error
    counts the same, so that one wild row decides less than with `rmse`. Lower is better; 0 is perfect, and of all
    answers that are the same for every row the median of the truth gets the least. Values are those of scikit-learn's
    `mean_absolute_error`.

    ## Limits
    It does not say whether many answers are a little off or few are far off; `median_absolute_error` and `rmse`, read
    beside it, do. Being off by 10 counts the same for 20 as for 2,000: see `within_10_percent`.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    use: Literal["mae"] = "mae"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="off by 1, 0 and 2",
            before={"truth": [3.0, 5.0, 7.0], "answers": [2.0, 5.0, 9.0]},
            after={"value": [1.0]},
        ),
    )

    def each(self, truth: Floats, answers: Floats) -> Floats:
        """The distance."""
        return np.abs(errors_of(truth, answers))
