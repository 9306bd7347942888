"""The independent check of a split: plain Python sets against an inverted index.

It shares no code and no method with the similarity join that made the clusters: no hashes, no bands, no prefixes. What
the two share is the definition. A text is normalised (NFKC, case folded, runs of white space to one space, stripped).
Its shingles are windows of five characters (a shorter text is one), or three consecutive words joined by a space (fewer
words are one; a text without any is one as it stands). Similarity is the Jaccard index of the two sets; an empty text
is similar to nothing. Of rows without a text each is its own single shingle, to the letter.
"""

from __future__ import annotations

import math
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["characters", "words", "rows"]
Numbers = NDArray[np.uint64]
Gram = str | tuple[str, ...]
#: `NUMBER`s of rows, shape (rows,), and their texts.
Batch = tuple[Numbers, Iterable[str | None]]

#: Pairs listed at most: more than a careful split can have, and a bound on the memory that a careless one takes.
MOST_PAIRS = 100_000
LEVEL = 0.95


@dataclass(frozen=True)
class Verification:
    """What the check found."""

    kind: Kind
    """Which shingles were compared."""
    rows: int
    """Held-out rows that were compared with every row of the other splits."""
    of: int
    """Held-out rows there are."""
    pairs: list[tuple[int, int, float]]
    """A held-out row, a row of another split, and their similarity; each pair once, at most `MOST_PAIRS`."""
    leaking: int
    """Compared rows that have a near copy in another split."""
    upper_bound: float
    """Upper 95 % bound of the share of held-out rows with a near copy in another split; see `upper_bound`."""


def verify(
    batches: Callable[[], Iterable[Batch]],
    numbers: Numbers,
    splits: NDArray[np.int8],
    *,
    kind: Kind,
    threshold: float,
    seed: int,
    sample: int = 2_000,
) -> Verification:
    """Compare held-out rows, exactly, with every row of the other splits.

    Test rows are compared with training and validation rows, validation rows with training and test rows. Memory is
    bounded by the sample: the other rows stream past an index of the sample's shingles.

    Args:
        batches: Called for a fresh stream of all rows (in any order); it is read twice.
        numbers: `NUMBER` of each row, ascending, shape (rows,).
        splits: Split of each row, 0 for train, shape (rows,).
        kind: Which shingles.
        threshold: Jaccard similarity from which two rows are near copies.
        seed: Draws the sample. A split that was mended because of a sample needs a fresh one.
        sample: Held-out rows to compare at most.

    Raises:
        ValueError: The stream holds a row that is not in `numbers`.
    """
    held_out = numbers[splits != 0]
    # Of Python's generator, `random()` is what stays the same in every version.
    draw = random.Random(seed).random
    order = np.argsort([draw() for _ in held_out])
    compared = np.sort(held_out[order[:sample]])
    index = _Index(compared, splits[np.searchsorted(numbers, compared)], kind, threshold)
    if len(compared):
        for batch in batches():
            index.add(batch)
        for batch in batches():
            index.compare(batch, _splits_of(batch[0], numbers, splits))
    leaking = int(index.leaks.sum())
    return Verification(
        kind=kind,
        rows=len(compared),
        of=len(held_out),
        pairs=index.pairs,
        leaking=leaking,
        upper_bound=upper_bound(leaking, len(compared), len(held_out)),
    )


class _Index:
    """The sample by shingle."""

    def __init__(self, numbers: Numbers, splits: NDArray[np.int8], kind: Kind, threshold: float) -> None:
        self._numbers, self._splits = numbers, splits
        self._kind, self._threshold = kind, threshold
        self._sizes = np.zeros(len(numbers), dtype=np.int64)
        self._holders: dict[Gram, list[int]] = {}
        self._postings: dict[Gram, NDArray[np.int32]] = {}
        self._known: set[Gram] = set()
        self.leaks = np.zeros(len(numbers), dtype=bool)
        self.pairs: list[tuple[int, int, float]] = []

    def add(self, batch: Batch) -> None:
        """Take up the rows of the sample that are in a batch."""
        places = np.searchsorted(self._numbers, batch[0]).clip(max=len(self._numbers) - 1)
        sampled = (self._numbers[places] == batch[0]).tolist()
        for place, wanted, text in zip(places.tolist(), sampled, batch[1], strict=True):
            if wanted:
                grams = shingles(text, self._kind)
                self._sizes[place] = len(grams)
                for gram in grams:
                    self._holders.setdefault(gram, []).append(place)

    def compare(self, batch: Batch, splits: NDArray[np.int8]) -> None:
        """Find the rows of the sample that are near a row of a batch in another split."""
        if not self._postings:
            self._postings = {gram: np.array(rows, dtype=np.int32) for gram, rows in self._holders.items()}
            self._known = set(self._postings)
            self._holders.clear()
        for number, split, text in zip(batch[0].tolist(), splits.tolist(), batch[1], strict=True):
            for place, similarity in self._near(shingles(text, self._kind)):
                if self._splits[place] == split:
                    continue
                self.leaks[place] = True
                held = int(self._numbers[place])
                # Two compared rows meet twice, once from each side.
                if not (split and number < held and self._holds(number)) and len(self.pairs) < MOST_PAIRS:
                    self.pairs.append((held, number, similarity))

    def _holds(self, number: int) -> bool:
        place = int(np.searchsorted(self._numbers, np.uint64(number)))
        return place < len(self._numbers) and int(self._numbers[place]) == number

    def _near(self, grams: set[Gram]) -> Iterator[tuple[int, float]]:
        shared = grams & self._known
        # A row that shares fewer shingles than this with the whole sample is near none of it.
        if not shared or len(shared) < self._threshold * len(grams) - 1e-9:
            return
        both = np.bincount(np.concatenate([self._postings[gram] for gram in shared]), minlength=len(self._sizes))
        similarity = both / (self._sizes + len(grams) - both)
        for place in np.flatnonzero(similarity >= self._threshold).tolist():
            yield place, float(similarity[place])


def _splits_of(wanted: Numbers, numbers: Numbers, splits: NDArray[np.int8]) -> NDArray[np.int8]:
    places = np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)
    if not (numbers[places] == wanted).all():
        raise ValueError("the stream holds rows that were not split")
    found: NDArray[np.int8] = splits[places]
    return found


def normalise(text: str) -> str:
    """NFKC, case folded, runs of white space to one space, stripped."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def shingles(text: str | None, kind: Kind) -> set[Gram]:
    """The set of shingles of a text: texts, or tuples of words; empty for a text that is null or blank."""
    if kind == "rows":
        return {text} if text else set()
    plain = normalise(text or "")
    if not plain:
        return set()
    if kind == "characters":
        return {plain[start : start + 5] for start in range(max(1, len(plain) - 4))}
    words = re.findall(r"\w+", plain) or [plain]
    # Tuples, because they are made and compared in a fraction of the time of joined texts, and mean the same.
    return set(zip(words, words[1:], words[2:], strict=False)) if len(words) > 2 else {tuple(words)}


def upper_bound(leaking: int, compared: int, of: int) -> float:
    """Upper bound of the share of held-out rows with a near copy in another split.

    Where every held-out row was compared, nothing is left to be unsure about: it is the share that was found, 0 when
    none was. Else it is the one-sided 95 % bound of Clopper and Pearson (1934) for a seeded sample: the share at which
    a sample would show so few with a chance of 5 %, 1 - 0.05^(1/n) for none among n. It takes the sample for one drawn
    with replacement, so it is a little too large where the sample is a good part of the rows, never too small.

    Args:
        leaking: Compared rows with a near copy.
        compared: Rows in the sample.
        of: Held-out rows.
    """
    if compared >= of:
        return leaking / of if of else 0.0
    if leaking == 0:
        return 1 - (1 - LEVEL) ** (1 / compared) if compared else 1.0
    if leaking == compared:
        return 1.0
    low, high = leaking / compared, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _chance_of_at_most(leaking, compared, middle) > 1 - LEVEL else (low, middle)
    return high


def _chance_of_at_most(found: int, n: int, share: float) -> float:
    """The binomial distribution function, from logarithms so that nothing overflows."""
    if share >= 1:
        return 0.0
    terms = (
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(share)
        + (n - k) * math.log1p(-share)
        for k in range(found + 1)
    )
    return math.fsum(math.exp(term) for term in terms)
