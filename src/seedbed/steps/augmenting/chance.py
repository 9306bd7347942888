"""Chance that hangs on a row's name: the same on every machine, whatever is drawn for other rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import xxhash

T = TypeVar("T")


class Chance:
    """Draws of one row. All are made of `random()`, the one method that Python promises not to change."""

    def __init__(self, *names: object, seed: int) -> None:
        self._random = random.Random(xxhash.xxh3_64_intdigest("\x00".join(map(str, names)).encode(), seed=seed))

    def below(self, n: int) -> int:
        """A whole number from 0, less than n."""
        return int(self._random.random() * n)

    def happens(self, probability: float) -> bool:
        """True so often."""
        return self._random.random() < probability

    def one(self, among: Sequence[T]) -> T:
        """One of several."""
        return among[self.below(len(among))]

    def some(self, among: Sequence[T], n: int) -> list[T]:
        """So many of several, in the order drawn; all, if there are no more."""
        left = list(among)
        return [left.pop(self.below(len(left))) for _ in range(min(n, len(left)))]
