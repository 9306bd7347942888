"""The metric `rouge_l`."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.task import Says

from .exact import pairs
from .mean_of_rows import MeanOfRows

_NO_WORD = re.compile(r"[^a-z0-9]+")


class RougeL(MeanOfRows):
    """How much of the wanted text is said in the same order: F1 of the longest common subsequence of words, averaged.

    ## Why
    It is what summaries are compared by: words that are left out cost recall, words that are added cost precision,
    and their order counts without having to be unbroken (Lin 2004, *ROUGE*). Values are those of the package
    `rouge-score` (`rougeL`, without stemming).

    ## Limits
    Words are runs of a to z and digits in lower case, as in that package: letters with accents break words, and of
    texts in other scripts nothing is left (their value is 0); use `chrf` there. It knows no synonyms, and a text that
    says the opposite in the same words scores well.
    """

    says: ClassVar[tuple[Says, ...]] = ("text", "turns")
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["rouge_l"] = "rouge_l"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="three of four words, in order",
            before={"truth": ["police killed the gunman"], "text": ["police kill the gunman"]},
            after={"value": [0.75]},
        ),
    )

    def each(self, truth: pl.Series, answers: pl.DataFrame) -> NDArray[np.float64]:
        """F1 of each text; 0 where one of both has no words."""
        from rapidfuzz.distance import LCSseq

        found = np.zeros(len(truth))
        for place, (wanted, said) in enumerate(pairs(truth, answers)):
            a, b = _words(wanted), _words(said)
            if a and b:
                found[place] = 2 * LCSseq.similarity(a, b) / (len(a) + len(b))
        return found


def _words(text: str) -> list[str]:
    return _NO_WORD.sub(" ", text.lower()).split()
