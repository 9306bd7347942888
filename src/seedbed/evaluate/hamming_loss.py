"""The metric `hamming_loss`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .over_labels import sets_of


class HammingLoss(MeanOfRows):
    """The share of decisions that were wrong, where each label of each row is one.

    ## Why
    It is what a person meets who corrects the answers label by label: how many of them need a click. Lower is better.
    Values are those of scikit-learn's `hamming_loss`.

    ## Limits
    Where rows have few of many labels, giving none at all is nearly always right: with 2 of 21 labels a row it gets
    0.095. Compare with `majority`, and read `macro_f1` beside it.
    """

    says: ClassVar[tuple[Says, ...]] = ("labels",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["hamming_loss"] = "hamming_loss"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="one label of six is missed",
            before={
                "truth": [[True, True], [True, True], [False, False]],
                "answers": [[0.9, 0.1], [0.8, 0.5], [0.2, 0.1]],
            },
            after={"value": [1 / 6]},
        ),
    )

    def each(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of a row's labels that were wrongly decided."""
        held, decided = sets_of(truth, answers)
        return np.asarray((held != decided).mean(axis=1))
