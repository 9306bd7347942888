"""The metric `mse`."""

from __future__ import annotations

from typing import ClassVar, Literal

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .of_numbers import Floats, errors_of


class Mse(MeanOfRows):
    """The mean of the squared differences between answer and truth (mean squared error).

    ## Why
    It is what ridge regression and most trees make as small as they can on training rows, and the mean of the truth is
    the one answer to all rows that it likes best. Lower is better; 0 is perfect. Values are those of scikit-learn's
    `mean_squared_error`.

    ## Limits
    Its unit is the square of the number's: `rmse` says the same in the number's own. One row that is far off can decide
    it; `mae` and `median_absolute_error` heed such a row less. An answer that is off by more than 1e150 counts as off
    by that.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    use: Literal["mse"] = "mse"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="off by 1, 0 and 2: (1 + 0 + 4) / 3",
            before={"truth": [3.0, 5.0, 7.0], "answers": [2.0, 5.0, 9.0]},
            after={"value": [5 / 3]},
        ),
    )

    def each(self, truth: Floats, answers: Floats) -> Floats:
        """The squared difference."""
        return errors_of(truth, answers) ** 2
