"""The metric `log_loss`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example

from .ranking import blocks

#: No probability counts as less than this, or as more than 1 minus this: one impossible row costs 36, not infinity.
SMALLEST = float(np.finfo(np.float64).eps)


class LogLoss(ProbabilityMetric):
    """How surprised the model is by the true labels: the mean of minus ln of the probability it gave them.

    ## Why
    It is the one number that rewards honest probabilities: no model does better than by saying what it believes, and
    being sure and wrong costs most. Lower is better; 0 is perfect, ln(number of labels) what equal chances get. Values
    are those of scikit-learn's `log_loss`.

    ## Limits
    A few rows that were sure and wrong can decide it, mislabelled ones among them. Probabilities are clipped to between
    2.2e-16 and 1 - 2.2e-16, as in scikit-learn, so that a label which the model holds impossible costs 36.04. It has no
    upper limit, and values for other numbers of labels do not compare.
    """

    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    use: Literal["log_loss"] = "log_loss"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="one bit each, in natural units",
            before={"truth": ["ham", "spam"], "probabilities": [[0.5, 0.5], [0.5, 0.5]]},
            after={"value": [0.6931471805599453]},
        ),
    )

    def of_rows(
        self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The mean over rows; NaN where there are none."""
        losses = losses_of(truth, probabilities)
        found = np.empty(len(weights))
        for here, block in blocks(weights):
            rows = block.sum(axis=0)
            found[here] = np.where(rows > 0, np.einsum("i,ij->j", losses, block) / np.maximum(rows, 1e-300), np.nan)
        return found


def losses_of(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minus ln of the probability of each row's label: shapes (rows,) and (rows, K) to (rows,)."""
    given = probabilities[np.arange(truth.size), truth].clip(SMALLEST, 1 - SMALLEST)
    return np.asarray(-np.log(given))
