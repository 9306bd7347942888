"""The metric `rmse`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .of_numbers import Floats, errors_of


class Rmse(MeanOfRows):
    """The root of the mean squared difference between answer and truth (root mean squared error).

    ## Why
    It says in the number's own unit how far answers are off, and counts one large miss for more than several small
    ones. Lower is better; 0 is perfect, and the standard deviation of the truth is what its mean gets. Values are those
    of scikit-learn's `root_mean_squared_error`.

    ## Limits
    One row that is far off can decide it: read `mae` beside it. Where a small number that is off by 10 is worse than a
    large one, see `rmsle` or `within_10_percent`. An answer that is off by more than 1e150 counts as off by that.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    use: Literal["rmse"] = "rmse"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="off by 1, 7, 1 and 1: the root of 52 / 4",
            before={"truth": [3.0, 5.0, 7.0, 8.0], "answers": [2.0, 12.0, 8.0, 7.0]},
            after={"value": [13**0.5]},
        ),
    )

    def each(self, truth: Floats, answers: Floats) -> Floats:
        """The squared difference."""
        return errors_of(truth, answers) ** 2

    def of_sums(self, sums: Floats) -> Floats:
        """The root of the mean; NaN where there are no rows."""
        return np.sqrt(super().of_sums(sums))
