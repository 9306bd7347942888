"""The metric `log_loss`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows

#: No probability counts as less than this, or as more than 1 minus this: one impossible row costs 36, not infinity.
SMALLEST = float(np.finfo(np.float64).eps)


class LogLoss(MeanOfRows, ProbabilityMetric):
    """How surprised the model is by the true labels: the mean of minus ln of the probability it gave them.

    ## Why
    It is the one number that rewards honest probabilities: no model does better than by saying what it believes, and
    being sure and wrong costs most. Lower is better; 0 is perfect, ln(number of labels) what equal chances get. Where
    rows have several labels, it is the mean over labels of the loss of each by itself (binary cross-entropy), and 0.693
    is what a coin gets. Values are those of scikit-learn's `log_loss`.

    ## Limits
    A few rows that were sure and wrong can decide it, mislabelled ones among them. Probabilities are clipped to between
    2.2e-16 and 1 - 2.2e-16, as in scikit-learn, so that a label which the model holds impossible costs 36.04. It has no
    upper limit, and values for other numbers of labels do not compare.
    """

    says: ClassVar[tuple[Says, ...]] = ("label", "labels")
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

    def each(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The loss of each row."""
        return losses_of(truth, answers)


def losses_of(truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minus ln of the probability of each row's label, or of what is true of each of the labels, their mean.

    Args:
        truth: The label of each row, from 0, shape (rows,), or which labels each row has, shape (rows, labels).
        answers: Probabilities, shape (rows, labels).

    Returns:
        Shape (rows,).
    """
    several = truth.ndim == 2
    given = np.where(truth, answers, 1 - answers) if several else answers[np.arange(truth.size), truth][:, None]
    return np.asarray(-np.log(given.clip(SMALLEST, 1 - SMALLEST)).mean(axis=1))
