"""The metric `within_10_percent`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .of_numbers import Floats

_SHARE = 0.1
#: 7.7 for 7 is within 10 percent, whatever binary fractions say.
_ROUNDING = 1e-12


class Within10Percent(MeanOfRows):
    """The share of answers that are off by at most 10 percent of the truth.

    ## Why
    "Nine of ten estimates are within 10 percent" is a sentence that those understand who live with the model; in real
    estate and forecasting it is reported as PPE10 or pred(10). Wild rows count as one row each. Higher is better.

    ## Limits
    It does not see how far off the others are, nor how close those within are. A truth of 0 is met by 0 alone, so it
    means little where numbers are near 0 or below. The border is drawn at 10 percent whatever the task; where twice as
    much would do, read `mae` and `rmsle`.
    """

    says: ClassVar[tuple[Says, ...]] = ("number",)
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["within_10_percent"] = "within_10_percent"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="9 % and 10 % off, then 11 %; nothing but 0 is near 0",
            before={"truth": [100.0, 100.0, 100.0, 0.0], "answers": [109.0, 90.0, 111.0, 0.001]},
            after={"value": [0.5]},
        ),
    )

    def each(self, truth: Floats, answers: Floats) -> Floats:
        """1 where the answer is near enough, else 0."""
        allowed = _SHARE * np.abs(truth) * (1 + _ROUNDING)
        return np.asarray(np.abs(answers[:, 0] - truth) <= allowed, dtype=np.float64)
