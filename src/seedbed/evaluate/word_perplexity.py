"""The metric `word_perplexity`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import SumMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .perplexity import nats_and, nats_each


class WordPerplexity(SumMetric):
    """Among how many words, equally likely, the model is in doubt on average, whatever its tokens are.

    ## Why
    Perplexity per token cannot be compared between tokenizers; a text has the same words for all of them. Lower is
    better. Results on WikiText are told so.

    ## Limits
    Words are what stands between white space: languages that write without spaces have few and long ones; use
    `bits_per_byte` there. Texts without words count only with what they cost.
    """

    says: ClassVar[tuple[Says, ...]] = ("itself",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 1.0

    use: Literal["word_perplexity"] = "word_perplexity"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="six tokens, three words, ln 4 of each word",
            before={"truth": ["un think able", ""], "nats": [4.1588830833596715, 0.0], "tokens": [6, 0]},
            after={"value": [4.0]},
        ),
    )

    def sums(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """Nats and words, shape (rows, 2)."""
        words = pl.Series([len(text.split()) for text in truth.fill_null("")], dtype=pl.Int64)
        return nats_and(answers, words)

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the nats of a word; NaN where there are no words, infinite where numbers end."""
        with np.errstate(over="ignore"):
            return np.exp(nats_each(sums))
