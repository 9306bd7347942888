"""The metric `chrf`."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import SumMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .exact import pairs

#: The longest runs of characters that are compared, and how much more recall counts than precision.
ORDER, BETA = 6, 2


class Chrf(SumMetric):
    """How many runs of up to six characters texts share with what was wanted: an F-score in which recall counts more.

    ## Why
    It needs no words, so that it is fair to every script and to languages that change their words' endings; of the
    simple measures of translations it agrees best with people (Popović 2015, *chrF*). Counts of runs of 1 to 6
    characters are added up over all rows; precision and recall are averaged over the lengths, and recall counts twice
    as much (beta 2). Values are those of sacrebleu's corpus chrF, as a share: theirs go to 100.

    ## Limits
    White space does not count, case does. Where nothing is wanted and nothing said, the value is 0. It knows no
    synonyms. Long texts count more than short ones.
    """

    says: ClassVar[tuple[Says, ...]] = ("text", "turns")
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["chrf"] = "chrf"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="said as it was wanted",
            before={"truth": ["guten Tag"], "text": ["gutenTag"]},
            after={"value": [1.0]},
        ),
        Example(title="nothing in common", before={"truth": ["abc"], "text": ["xyz"]}, after={"value": [0.0]}),
    )

    def sums(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """Runs that were said, wanted, and shared, of each length, and 1: shape (rows, 3 * 6 + 1)."""
        found = np.zeros((len(truth), ORDER, 3))
        for place, (wanted, said) in enumerate(pairs(truth, answers)):
            for length in range(1, ORDER + 1):
                right, given = _runs(wanted, length), _runs(said, length)
                # Lengths that the wanted text is too short for cost nothing, as in sacrebleu.
                told = given.total() if right else 0
                found[place, length - 1] = told, right.total(), (right & given).total()
        return np.concatenate([found.reshape(len(truth), -1), np.ones((len(truth), 1))], axis=1)

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The F-score of precision and recall, averaged over the lengths that both have; NaN without rows."""
        each = sums[..., :-1].reshape(*sums.shape[:-1], ORDER, 3)
        said, wanted, shared = each[..., 0], each[..., 1], each[..., 2]
        both = (said > 0) & (wanted > 0)
        lengths = np.maximum(both.sum(-1), 1)
        precision = np.where(both, shared / np.where(both, said, 1), 0).sum(-1) / lengths
        recall = np.where(both, shared / np.where(both, wanted, 1), 0).sum(-1) / lengths
        under = BETA**2 * precision + recall
        score = (1 + BETA**2) * precision * recall / np.where(under > 0, under, 1)
        return np.asarray(np.where(sums[..., -1] > 0, score, np.nan))


def _runs(text: str, length: int) -> Counter[str]:
    """The runs of so many characters, without white space."""
    dense = "".join(text.split())
    return Counter(dense[place : place + length] for place in range(len(dense) - length + 1))
