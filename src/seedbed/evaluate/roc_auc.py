"""The metric `roc_auc`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .ranking import Ranking, RankingMetric, Weights


class RocAuc(RankingMetric):
    """How often a row that has a label is given a higher probability of it than a row that has not.

    ## Why
    It judges the order of the rows and no threshold: 0.5 is what chance gets, 1 a perfect order, whatever the shares of
    the labels. With more than two labels, and where rows have several, it is the mean over labels, each against the
    rest. Values are those of scikit-learn's `roc_auc_score` (`multi_class="ovr"`, `average="macro"`).

    ## Limits
    It does not see whether probabilities can be believed (`log_loss` and `expected_calibration_error` do), nor how the
    decided labels fare. For a rare label it can be high while most alarms are false: read `average_precision`. A label
    that no row has, or every row, is left out of the mean, and so it is in a resample that happens to miss it
    (scikit-learn refuses there); where no label is left there is no value.
    """

    use: Literal["roc_auc"] = "roc_auc"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="three of four pairs are in order",
            before={
                "truth": ["ham", "ham", "spam", "spam"],
                "probabilities": [[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]],
            },
            after={"value": [0.75]},
        ),
        Example(
            title="the same answer for every row tells nothing",
            before={"truth": ["ham", "ham", "spam"], "probabilities": [[0.7, 0.3], [0.7, 0.3], [0.7, 0.3]]},
            after={"value": [0.5]},
        ),
    )

    def of_ranking(self, ranking: Ranking, weights: Weights) -> NDArray[np.float64]:
        """The area under the curve."""
        return ranking.roc_area(weights)

    def ranked(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> list[Ranking]:
        """The second of two labels that a row has one of: the first one's order is the same, backwards."""
        found = super().ranked(truth, answers)
        return found[1:] if truth.ndim == 1 and len(found) == 2 else found

    def unseen(self, truth: NDArray[Any], answers: NDArray[np.float64], level: float) -> float | None:
        """The exact bound where all pairs are in order, or none is.

        m rows with a label and m without are m independent pairs; where all agree, the share of pairs that do is at
        least (alpha/2)^(1/m) (Clopper & Pearson 1934).
        """
        value = float(self.of_rows(truth, answers, np.ones((1, len(truth))))[0])
        if value not in (0.0, 1.0):
            return None
        pairs = [min(one.having.size, one.lacking.size) for one in self.ranked(truth, answers)]
        share = float(np.mean([((1 - level) / 2) ** (1 / m) for m in pairs if m]))
        return share if value else 1 - share
