"""The metric `roc_auc`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example

from .ranking import Ranking, blocks, mean_of_known


class RocAuc(ProbabilityMetric):
    """How often a row that has a label is given a higher probability of it than a row that has not.

    ## Why
    It judges the order of the rows and no threshold: 0.5 is what chance gets, 1 a perfect order, whatever the shares of
    the labels. With more than two labels it is the mean over labels, each against the rest. Values are those of
    scikit-learn's `roc_auc_score` (`multi_class="ovr"`, `average="macro"`).

    ## Limits
    It does not see whether probabilities can be believed (`log_loss` and `expected_calibration_error` do), nor how the
    decided labels fare. For a rare label it can be high while most alarms are false: read `average_precision`. A label
    that no row has, or every row, is left out of the mean, and so it is in a resample that happens to miss it
    (scikit-learn refuses there); where no label is left there is no value.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

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

    def of_rows(
        self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The area for the second of two labels, else the mean over labels."""
        rankings = [Ranking(truth == label, probabilities[:, label]) for label in _judged(probabilities)]
        found = np.empty(len(weights))
        for here, block in blocks(weights, counted=True):
            found[here] = mean_of_known(np.stack([ranking.roc_area(block) for ranking in rankings]))
        return found

    def unseen(self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], level: float) -> float | None:
        """The exact bound where all pairs are in order, or none is.

        m rows with a label and m without are m independent pairs; where all agree, the share of pairs that do is at
        least (alpha/2)^(1/m) (Clopper & Pearson 1934).
        """
        value = float(self.of_rows(truth, probabilities, np.ones((1, truth.size)))[0])
        if value not in (0.0, 1.0):
            return None
        counts = [int((truth == label).sum()) for label in _judged(probabilities)]
        pairs = [min(count, truth.size - count) for count in counts]
        share = float(np.mean([((1 - level) / 2) ** (1 / m) for m in pairs if m]))
        return share if value else 1 - share


def _judged(probabilities: NDArray[np.float64]) -> list[int]:
    # With two labels, the one's order is the other's, backwards.
    return [1] if probabilities.shape[1] == 2 else list(range(probabilities.shape[1]))
