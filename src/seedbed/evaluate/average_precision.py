"""The metric `average_precision`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example

from .ranking import Ranking, blocks, mean_of_known


class AveragePrecision(ProbabilityMetric):
    """The area under the precision-recall curve, as the mean precision at the threshold of each row that has a label.

    ## Why
    It says how clean the top of the list is when rows are listed by how probable a label is, which is what counts where
    the label is rare. It is the mean over labels, each against the rest. Values are those of scikit-learn's
    `average_precision_score` with `average="macro"`.

    ## Limits
    What chance gets is not 0.5 but the label's share of the rows, so that values for data of other shares do not
    compare. A label that no row has is left out of the mean (scikit-learn counts it as 0), also in a resample that
    happens to miss it; where there are no rows there is no value.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["average_precision"] = "average_precision"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="spam stands first and third: (1/1 + 2/3) / 2; ham the same",
            before={
                "truth": ["ham", "ham", "spam", "spam"],
                "probabilities": [[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]],
            },
            after={"value": [5 / 6]},
        ),
    )

    def of_rows(
        self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The mean over labels."""
        rankings = [Ranking(truth == label, scores) for label, scores in enumerate(probabilities.T)]
        found = np.empty(len(weights))
        for here, block in blocks(weights, counted=True):
            found[here] = mean_of_known(np.stack([ranking.average_precision(block) for ranking in rankings]))
        return found

    def unseen(self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], level: float) -> float | None:
        """The bound where every label's rows stand first.

        Of n rows with a label, all stand before every other row. The share of such rows is at least (alpha/2)^(1/n)
        (Clopper & Pearson 1934), and so is the average precision were the others found last of all.
        """
        if float(self.of_rows(truth, probabilities, np.ones((1, truth.size)))[0]) < 1:
            return None
        counts = np.bincount(truth)
        return float(np.mean(((1 - level) / 2) ** (1 / counts[counts > 0])))
