"""The metric `exact`."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows


class Exact(MeanOfRows):
    """The share of texts that are, character for character, what was wanted.

    ## Why
    Where there is one right answer (a code, a date, a canonical form), nothing else is worth anything.

    ## Limits
    White space at the ends does not count; everything else does. For texts that can be said in several ways it is
    near 0 whatever the model: read `rouge_l` and `chrf`.
    """

    says: ClassVar[tuple[Says, ...]] = ("text", "turns")
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["exact"] = "exact"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="a space more, another case",
            before={"truth": ["guten Tag", "gute Nacht"], "text": ["guten Tag ", "Gute Nacht"]},
            after={"value": [0.5]},
        ),
    )

    def each(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """1 for a text that is the one wanted, else 0."""
        return np.array([a.strip() == b.strip() for a, b in pairs(truth, answers)], dtype=np.float64)


def pairs(truth: pl.Series, answers: pl.DataFrame) -> list[tuple[str, str]]:
    """What was wanted and what was said, of each row; what is missing is empty."""
    return list(zip(truth.fill_null("").to_list(), answers["text"].fill_null("").to_list(), strict=True))
