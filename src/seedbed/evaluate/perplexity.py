"""The metric `perplexity`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import SumMetric
from seedbed.core.part import Example
from seedbed.core.task import Says


class Perplexity(SumMetric):
    """Among how many tokens, equally likely, the model is in doubt on average what comes next.

    ## Why
    It is what language models are compared by: e to the mean of minus ln of the probability that each token got, over
    the tokens of all texts. Lower is better; 1 is perfect, the size of the vocabulary what equal chances get.

    ## Limits
    Values compare only between models with the same tokenizer: larger tokens are harder to guess, and there are fewer
    of them. `bits_per_byte` and `word_perplexity` compare between all. That a text ends is not counted. Long texts
    count more than short ones, and text that the model has seen says nothing.
    """

    says: ClassVar[tuple[Says, ...]] = ("itself",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 1.0

    use: Literal["perplexity"] = "perplexity"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="ln 2 of each of four tokens, ln 8 of each of two",
            before={
                "truth": ["a b c d", "e f"],
                "nats": [2.772588722239781, 4.1588830833596715],
                "tokens": [4, 2],
            },
            after={"value": [3.1748021039363987]},
        ),
    )

    def sums(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """Nats and tokens, shape (rows, 2)."""
        return nats_and(answers, answers["tokens"])

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the nats of a token; NaN where there are no tokens, infinite where numbers end."""
        with np.errstate(over="ignore"):
            return np.exp(nats_each(sums))


def nats_and(answers: pl.DataFrame, counts: pl.Series) -> NDArray[np.float64]:
    """What each row adds: nats, and what they are divided by; shape (rows, 2)."""
    return np.stack([answers["nats"].cast(pl.Float64).to_numpy(), counts.cast(pl.Float64).to_numpy()], axis=1)


def nats_each(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nats, divided: shape (..., 2) to (...); NaN where there is nothing to divide by."""
    of = sums[..., 1]
    return np.asarray(np.where(of > 0, sums[..., 0] / np.where(of > 0, of, 1), np.nan))
