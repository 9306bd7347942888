"""Words of texts as numbers, as networks that learn their own vectors of words read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

#: What fills up a text, and a word that is not known.
PAD, UNKNOWN = 0, 1
_FIRST = 2
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Words:
    """Words that are known: runs of letters and digits in lower case, and every other sign by itself."""

    known: tuple[str, ...]
    """In the order of their numbers, from 2."""
    most: int
    """Words of a text that are read; the rest is cut."""

    @classmethod
    def learn(cls, texts: Iterable[str], *, at_least: int, known: int, most: int) -> Self:
        """The most frequent words of training texts.

        Args:
            texts: They.
            at_least: Times that a word occurs.
            known: Most words.
            most: Words of a text that are read.
        """
        counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
        frequent = sorted((-n, word) for word, n in counts.items() if n >= at_least)[:known]
        return cls(tuple(word for _, word in frequent), most)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Numbers of words, shape (texts, most); a text without a word has one that is not known."""
        found = np.full((len(texts), self.most), PAD, dtype=np.int32)
        for row, text in zip(found, texts, strict=True):
            said = [self._numbers.get(word, UNKNOWN) for word in _WORD.findall(text.lower())[: self.most]]
            row[: max(1, len(said))] = said or UNKNOWN
        return found

    @property
    def size(self) -> int:
        """Numbers that there are."""
        return len(self.known) + _FIRST

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.known, _FIRST)}
