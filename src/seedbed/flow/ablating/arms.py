"""The two arms of a comparison: rows after the whole recipe, and rows after it without one step.

What a step rejects comes back when the step is left out, and may be a copy of a row that judges. So rows are taken
together over both arms: all that belong together in either share a fold, and all that belong to a test row are out of
both. Neither arm can learn from a row's copy and be judged by the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.similarity.components import components
from seedbed.core.similarity.shingles import mix
from seedbed.evaluate.groups import Groups, grouped
from seedbed.flow.preparing.in_memory import Preparation

Numbers = NDArray[np.uint64]
#: Splits whose rows may be learned from here, and judged by.
OPEN = ("train", "validation")


@dataclass(frozen=True)
class Arm:
    """Rows that a recipe leaves, with what is to be done to those that train."""

    rows: pl.DataFrame
    """Sorted by `NUMBER`; the columns that the task and `preparation` need."""
    clusters: NDArray[np.int64]
    """Rows of one belong together, shape (rows,)."""
    only_train: NDArray[np.bool_] | None = None
    """Whether each row may judge nothing; none where all may."""
    preparation: Preparation | None = None

    @property
    def numbers(self) -> Numbers:
        """`NUMBER` of each row."""
        return self.rows[NUMBER].to_numpy()

    def among(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Whether each row is one of some, shape (rows,)."""
        return np.isin(self.numbers, numbers)


@dataclass(frozen=True)
class Folds:
    """The fold of every row that is in either arm and that no test row belongs to."""

    numbers: Numbers
    """Sorted."""
    fold: NDArray[np.int64]
    count: int
    kept_out: int
    """Rows of either arm that are a test row, or belong to one."""
    oldest: Numbers
    """Of the rows that each row belongs to, the oldest."""

    def groups(self, numbers: Numbers) -> Groups:
        """Groups of some rows that are in folds: those that belong together in either arm."""
        return grouped(self.oldest[np.searchsorted(self.numbers, numbers)])

    def of(self, numbers: Numbers) -> NDArray[np.int64]:
        """The fold of some rows; -1 of those that are kept out."""
        if not len(self.numbers):
            return np.full(len(numbers), -1, dtype=np.int64)
        at = np.searchsorted(self.numbers, numbers).clip(max=len(self.numbers) - 1)
        return np.where(self.numbers[at] == numbers, self.fold[at], -1)


def deal_over(arms: Sequence[Arm], held_out: Numbers, count: int, seed: int) -> Folds:
    """Folds for rows of all arms together.

    A fold is a hash of the oldest row of those that belong together: rows that come back with a step left out do not
    move the others, so most models of the whole recipe's arm are trained once for all steps.

    Args:
        arms: Whose rows are dealt.
        held_out: `NUMBER`s of test rows.
        count: Folds.
        seed: Of the hash.
    """
    numbers = np.unique(np.concatenate([*(arm.numbers for arm in arms), held_out]))
    left, right = [], []
    for arm in arms:
        places = np.searchsorted(numbers, arm.numbers)
        _, first, which = np.unique(arm.clusters, return_index=True, return_inverse=True)
        left.append(places)
        right.append(places[first[which]])
    joined = components(len(numbers), np.concatenate(left), np.concatenate(right))
    out = np.isin(joined, joined[np.searchsorted(numbers, held_out)])
    oldest = numbers[joined]  # a component is named by its smallest member, and numbers are sorted
    keys = mix(mix(oldest) ^ mix(np.array([seed % 2**64], dtype=np.uint64)))
    fold = (keys % np.uint64(count)).astype(np.int64)
    return Folds(numbers[~out], fold[~out], count, int(out.sum()), oldest[~out])


def judged_by_both(arms: Sequence[Arm], folds: Folds) -> Numbers:
    """Rows that judge: those that every arm has, that are in a fold and may judge."""
    found = folds.numbers
    for arm in arms:
        may = arm.numbers if arm.only_train is None else arm.numbers[~arm.only_train]
        found = found[np.isin(found, may)]
    return found
