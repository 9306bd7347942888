"""Cross-validation of an arm: what models that never saw some rows say of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.learner import Learner
from seedbed.core.rows import NUMBER
from seedbed.evaluate.taking import both, some
from seedbed.flow.judging.judge import Judging

from .arms import Arm, Folds, Numbers


@dataclass(frozen=True)
class Held:
    """Rows of a fold, and what a model that did not see them says of each."""

    numbers: Numbers
    """Sorted."""
    truth: Any
    """What is right, and what is said, as the form of the task's answers holds it."""
    answers: Any
    learned_from: int
    """Rows that the model learned from, made ones among them."""


@dataclass(frozen=True)
class Said:
    """What the models of all folds say of the rows that judge."""

    truth: Any
    """What is right, and what is said, as the form of the task's answers holds it."""
    answers: Any
    learned_from: int
    """Rows that a model learned from, on average over the folds."""


@dataclass(frozen=True)
class Answering:
    """A learner that is cross-validated, again and again with one arm."""

    judging: Judging
    learner: Learner
    again: Arm
    """The arm whose answers are remembered: most of its folds are the same whatever it is compared with."""
    _known: dict[int, tuple[bytes, Held]] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, arm: Arm, folds: Folds, judged: Numbers) -> Said:
        """What is said of some rows of an arm, each by the model of the fold that it is held out in."""
        answers, truth, numbers, learned_from = None, None, [], 0
        for one in range(folds.count):
            held = self.fold(arm, folds, one)
            learned_from += held.learned_from
            if held.answers is None:
                continue
            here = np.isin(held.numbers, judged)
            numbers.append(held.numbers[here])
            told, right = some(held.answers, here), some(held.truth, here)
            answers, truth = (told, right) if answers is None else (both(answers, told), both(truth, right))
        order = np.argsort(np.concatenate(numbers), kind="stable")
        return Said(some(truth, order), some(answers, order), round(learned_from / folds.count))

    def seconds(self, folds: Folds) -> float:
        """What a fold of the remembered arm takes."""
        start = time.perf_counter()
        self.fold(self.again, folds, 0)
        return time.perf_counter() - start

    def fold(self, arm: Arm, folds: Folds, one: int) -> Held:
        """What is said of the rows of a fold that may judge."""
        fold = folds.of(arm.numbers)
        key = np.packbits([fold == one, fold >= 0]).tobytes()
        if arm is not self.again:
            return self._fold(arm, fold, one)
        known, held = self._known.get(one, (b"", None))
        if held is None or known != key:
            held = self._fold(arm, fold, one)
            self._known[one] = key, held
        return held

    def _fold(self, arm: Arm, fold: NDArray[np.int64], one: int) -> Held:
        may_judge = np.ones(len(fold), dtype=np.bool_) if arm.only_train is None else ~arm.only_train
        train = arm.rows.filter(pl.Series((fold >= 0) & (fold != one)))
        held = arm.rows.filter(pl.Series((fold == one) & may_judge))
        if not held.height:
            return Held(held[NUMBER].to_numpy(), None, None, 0)
        if arm.preparation:
            train, after = arm.preparation(train, {"fold": held})
            held = after["fold"]
        model, _ = self.judging.fit(self.learner, {"train": self.judging.rows("train", train)})
        rows = self.judging.rows("fold", held)
        return Held(held[NUMBER].to_numpy(), rows.truth, self.judging.predict(model, rows.frame), train.height)
