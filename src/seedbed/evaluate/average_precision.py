"""The metric `average_precision`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example

from .ranking import Ranking, RankingMetric, Weights


class AveragePrecision(RankingMetric):
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

    def of_ranking(self, ranking: Ranking, weights: Weights) -> NDArray[np.float64]:
        """The area under the curve."""
        return ranking.average_precision(weights)

    def unseen(self, truth: NDArray[Any], answers: NDArray[np.float64], level: float) -> float | None:
        """The bound where every label's rows stand first.

        Of n rows with a label, all stand before every other row. The share of such rows is at least (alpha/2)^(1/n)
        (Clopper & Pearson 1934), and so is the average precision were the others found last of all.
        """
        if float(self.of_rows(truth, answers, np.ones((1, len(truth))))[0]) < 1:
            return None
        counts = [one.having.size for one in self.ranked(truth, answers)]
        return float(np.mean([((1 - level) / 2) ** (1 / n) for n in counts if n]))
