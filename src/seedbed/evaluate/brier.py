"""The metric `brier`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .over_labels import held_of


class Brier(MeanOfRows, ProbabilityMetric):
    """How far probabilities are from what is true, squared: the Brier score.

    ## Why
    Like `log_loss` it rewards honest probabilities and nothing else, but a row that was sure and wrong costs no more
    than 2 (Brier 1950, *Verification of Forecasts Expressed in Terms of Probability*): a few mislabelled rows do not
    decide it. Lower is better. It is the sum over labels of (probability - truth)², on average over rows; with two
    labels that of the second alone, and where rows have several labels, the mean over labels. Values are those of
    scikit-learn's `brier_score_loss`.

    ## Limits
    Probabilities of rare labels hardly matter to it: 0.01 and 0.001 are nearly the same. With two labels, and where
    rows have several, it lies between 0 and 1, with more labels between 0 and 2: values for other numbers of labels do
    not compare.
    """

    says: ClassVar[tuple[Says, ...]] = ("label", "labels")
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 2.0

    use: Literal["brier"] = "brier"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="sure at 0.9, right three times of four",
            before={
                "truth": ["ham", "ham", "spam", "spam"],
                "probabilities": [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]],
            },
            after={"value": [(3 * 0.01 + 0.81) / 4]},
        ),
        Example(
            title="rows with several labels",
            before={"truth": [[True, True], [False, True]], "answers": [[0.9, 0.5], [0.1, 1.0]]},
            after={"value": [(0.01 + 0.25 + 0.01 + 0) / 4]},
        ),
    )

    def each(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squares of each row."""
        squares = (answers - held_of(truth, answers.shape[1])) ** 2
        if truth.ndim == 2:
            return np.asarray(squares.mean(axis=1))
        return np.asarray(squares[:, 1] if answers.shape[1] == 2 else squares.sum(axis=1))
