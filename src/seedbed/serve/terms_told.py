"""What each character of a text adds to the score of a linear model on terms: exact, whatever the text.

A score is the sum of the model's terms, each times its weight, and an intercept. A term's part of it is spread evenly
over the characters of its places in the text, so that parts of characters, and of whatever words they make up, add up
to the score again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.counted import Counted, CountedKind

Floats = NDArray[np.float64]
#: Where a term stands: its pieces, each the first character and the one after the last, in the lowered text.
_Spans = tuple[tuple[int, int], ...]
#: As scikit-learn cuts texts into words.
_WORD = re.compile(r"(?u)\b\w\w+\b")
_FILLED = re.compile(r"\S+")


@dataclass(frozen=True)
class TermsTold:
    """A linear layer on terms, ready to say what each character of a text adds."""

    layer: Counted

    @cached_property
    def _places(self) -> list[dict[str, int]]:
        """Each kind's terms, by their place in the weights."""
        found, start = [], 0
        for kind in self.layer.kinds:
            found.append({term: place for place, term in enumerate(kind.terms, start)})
            start += len(kind.terms)
        return found

    def parts(self, text: str, output: int) -> tuple[Floats, float]:
        """What each character adds to an output's score, and what stands there without any.

        Where the model's labels exclude one another it is the score less the mean of the others' scores: the log-odds,
        where there are two.

        Args:
            text: What the model reads.
            output: Which label, or 0 where there is one number.

        Returns:
            Shape (characters,), and the intercept.
        """
        lowered, at = _lowered(text)
        steps = np.zeros(len(text) + 1)
        for kind, places in zip(self.layer.kinds, self._places, strict=True):
            found: dict[int, list[_Spans]] = {}
            for term, spans in _terms(kind, lowered):
                if (place := places.get(term)) is not None:
                    found.setdefault(place, []).append(spans)
            if found:
                self._spread(kind, found, min(places.values()), output, at, steps)
        intercepts = np.asarray(self.layer.intercepts, dtype=np.float64)[None, :]
        return np.cumsum(steps[:-1]), float(self._margins(intercepts, output)[0])

    def _spread(
        self, kind: CountedKind, found: dict[int, list[_Spans]], start: int, output: int, at: Any, steps: Floats
    ) -> None:
        """Add what each place of each term adds, where it begins, and take it away where it ends."""
        terms = np.array(list(found), dtype=np.int64)
        counts = np.array([len(one) for one in found.values()], dtype=np.float64)
        values = counts
        if kind.rarity is not None:
            values = (1 + np.log(counts)) * np.asarray(kind.rarity, dtype=np.float64)[terms - start]
            values /= np.sqrt((values**2).sum())
        weights = np.asarray(self.layer.weights[terms], dtype=np.float64)
        each = values * self._margins(weights, output) / counts
        for share, places in zip(each.tolist(), found.values(), strict=True):
            for spans in places:
                whole = [(int(at[begin]), int(at[end - 1]) + 1) for begin, end in spans]
                part = share / sum(end - begin for begin, end in whole)
                for begin, end in whole:
                    steps[begin] += part
                    steps[end] -= part

    def _margins(self, scores: Floats, output: int) -> Floats:
        """Scores of an output, less the mean of the others where these exclude it: (rows, outputs) to (rows,)."""
        mine: Floats = scores[:, output]
        if self.layer.link != "softmax":
            return mine
        others = np.isfinite(np.asarray(self.layer.intercepts, dtype=np.float64))
        others[output] = False
        if others.any():
            mine = mine - scores[:, others].mean(axis=1)
        return mine / self.layer.temperature


def _lowered(text: str) -> tuple[str, NDArray[np.int64]]:
    """The text in lower case, and the character of the text that each of its characters comes from."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered, np.arange(len(text))
    lengths = [len(one.lower()) for one in text]  # some letters become two
    return lowered, np.repeat(np.arange(len(text)), lengths)


def _terms(kind: CountedKind, lowered: str) -> Iterator[tuple[str, _Spans]]:
    """Each term of a lowered text and where it stands, as scikit-learn's vectorizers find them."""
    low, high = kind.lengths
    if kind.kind == "words":
        words = [(one.group(), one.span()) for one in _WORD.finditer(lowered)]
        for length in range(low, high + 1):
            for first in range(len(words) - length + 1):
                some = words[first : first + length]
                yield " ".join(word for word, _ in some), tuple(span for _, span in some)
        return
    for one in _FILLED.finditer(lowered):
        yield from _within(one.group(), one.start(), (low, high))


def _within(word: str, start: int, lengths: Sequence[int]) -> Iterator[tuple[str, _Spans]]:
    """Runs of characters of a word with a space at each end; a word that is shorter than a run is taken once."""
    padded = f" {word} "
    for length in range(lengths[0], lengths[1] + 1):
        for first in range(max(len(padded) - length, 0) + 1):
            begin, end = max(first - 1, 0), min(first - 1 + length, len(word))
            span = (start + begin, start + end) if begin < end else (start, start + len(word))  # a space alone
            yield padded[first : first + length], (span,)
        if len(padded) <= length:
            return
