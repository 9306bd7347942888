"""The metric `bits_per_byte`."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import SumMetric
from seedbed.core.part import Example
from seedbed.core.task import Says

from .perplexity import nats_and, nats_each


class BitsPerByte(SumMetric):
    """How many bits the model needs for a byte of text, were it used to compress it.

    ## Why
    It compares all models, whatever their tokens, and texts of all languages: minus log2 of the probability of the
    texts, over their bytes in UTF-8. Lower is better. 8 is no model at all.

    ## Limits
    A byte of another script is not worth the same as one of English, so that values of different texts do not compare.
    """

    says: ClassVar[tuple[Says, ...]] = ("itself",)
    lower_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0

    use: Literal["bits_per_byte"] = "bits_per_byte"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="ö takes two bytes, and ln 2 of each byte is a bit",
            before={"truth": ["Köln"], "nats": [3.4657359027997265], "tokens": [2]},
            after={"value": [1.0]},
        ),
    )

    def sums(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """Nats and bytes, shape (rows, 2)."""
        return nats_and(answers, truth.fill_null("").str.len_bytes())

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bits of a byte; NaN where there are no bytes."""
        return nats_each(sums) / math.log(2)
