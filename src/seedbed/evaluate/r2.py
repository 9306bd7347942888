"""The metric `r2`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from seedbed.core.metric import SumMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .of_numbers import FURTHEST, Floats, errors_of

#: A smaller share of the sum of squares than this is rounding: the truth does not vary.
_ROUNDING = 1e-12


class R2(SumMetric):
    """The share of the truth's variance that answers explain (coefficient of determination, R²).

    ## Why
    It has no unit, so that models of different numbers compare: 1 is perfect, 0 is what the mean of the judged rows
    would get, below 0 is worse than that. Values are those of scikit-learn's `r2_score`.

    ## Limits
    It depends on how much the truth varies: with the same errors, rows that are more alike give a lower value. It has
    no value where the truth does not vary (scikit-learn says 0 or 1), and on few rows it moves a lot. One row that is
    far off can decide it; `mae` is steadier. The mean of the *training* rows, which the learner `mean` answers, gets a
    little less than 0.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    highest: ClassVar[float] = 1.0

    use: Literal["r2"] = "r2"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="errors of 1, 0 and 1 against distances of 2, 0 and 2 from the mean: 1 - 2 / 8",
            before={"truth": [3.0, 5.0, 7.0], "answers": [2.0, 5.0, 8.0]},
            after={"value": [0.75]},
        ),
        Example(
            title="a truth that does not vary: no value",
            before={"truth": [3.0, 3.0], "answers": [2.0, 3.0]},
            after={"value": [float("nan")]},
        ),
    )

    def sums(self, truth: Floats, answers: Floats) -> Floats:
        """Rows, squared errors, and the truth with its square, measured from the middle: shape (rows, 4)."""
        # From the middle, in units of its spread, since sums of squares lose what is small beside a large mean.
        middle = (truth / max(1, len(truth))).sum()
        off = truth - middle
        unit = min(max(float(np.abs(off).max(initial=0.0)), 1 / FURTHEST), FURTHEST)
        error = (errors_of(truth, answers) / unit).clip(-FURTHEST, FURTHEST)
        varied = off / unit
        return np.stack([np.ones(len(truth)), error**2, varied, varied**2], axis=1)

    def of_sums(self, sums: Floats) -> Floats:
        """One minus squared errors over squared distances from the mean; NaN where those are (next to) 0."""
        rows, squared, total, squares = np.moveaxis(sums, -1, 0)
        spread = squares - total**2 / np.where(rows > 0, rows, 1)
        varies = spread > _ROUNDING * squares
        with np.errstate(over="ignore"):
            found = 1 - squared / np.where(varies, spread, 1)
        return np.asarray(np.where(varies & np.isfinite(found), found, np.nan))
