"""Did it pay? The best model once more without made rows, and without `prepare`, on the same validation rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import polars as pl

from seedbed.core.learner import Learner
from seedbed.core.metric import Score
from seedbed.core.rows import NUMBER
from seedbed.core.run import Comparison, Effect
from seedbed.core.step import Make
from seedbed.evaluate.paired import Answers
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.preparing.unprepared import Unprepared

from .judge import Judging, Rows

#: What models are compared on: choosing must not look at test rows.
ON = "validation"


@dataclass(frozen=True)
class Variants:
    """The rows of a run, prepared as the recipe says or with something left out."""

    judging: Judging
    unprepared: Unprepared
    trained: Mapping[str, Rows]
    """Rows by split as models were trained on them: prepared as the recipe says."""
    _known: dict[tuple[bool, frozenset[int]], dict[str, Rows]] = field(default_factory=dict, compare=False, repr=False)
    """Of all training rows, by whether a source's made rows are among them, and the steps that are not done."""

    @cached_property
    def splits(self) -> dict[str, pl.DataFrame]:
        """The columns that are needed of all splits, before `prepare`."""
        with self.judging.context.stage("Reading the rows before they were prepared"):
            return self.unprepared.read(self.unprepared.split.names, self.preparation())

    @property
    def makes(self) -> bool:
        """Whether rows are made, by `prepare` or by a source."""
        return any(isinstance(step, Make) for step in self.unprepared.steps) or self.unprepared.made_before

    def preparation(self, *, made: bool = True, fitted: bool = True) -> Preparation:
        """What is done to rows, with or without the parts that make or learn."""
        return self.unprepared.preparation(self.judging.context.seed, self.judging.task, make=made, fit=fitted)

    def whole(self, *, made: bool, fitted: bool = True) -> Mapping[str, Rows]:
        """Rows by split, when all training rows are learned from; the arguments are those of `rows`."""
        preparation = self.preparation(made=made, fitted=fitted)
        if (made or not self.unprepared.made_before) and preparation.skipped == self.preparation().skipped:
            return self.trained
        key = made, preparation.skipped
        if key not in self._known:
            self._known[key] = self.rows(self.splits["train"], preparation, made=made)
        return self._known[key]

    def rows(self, train: pl.DataFrame, preparation: Preparation, *, made: bool = False) -> dict[str, Rows]:
        """Rows by split, when these are learned from.

        Args:
            train: Training rows before `prepare`.
            preparation: What is done to them.
            made: Whether rows that a source made are among them.

        Raises:
            DataError: A step cannot learn from these rows.
        """
        if not made:
            train = train.filter(~self.unprepared.only_train(train[NUMBER]))
        others = {name: rows for name, rows in self.splits.items() if name != "train"}
        train, others = preparation(train, others)
        found = {name: self.judging.rows(name, rows) for name, rows in {"train": train, **others}.items()}
        return {name: replace(rows, groups=self.trained[name].groups) for name, rows in found.items()}


@dataclass(frozen=True)
class Told:
    """What a model says about the rows that choose, and how it did."""

    answers: Answers
    scores: Mapping[str, Score]


def ask(judging: Judging, learner: Learner, name: str, splits: Mapping[str, Rows]) -> Told:
    """Have a learner learn, and judge its model on the rows that choose."""
    told = judging.ask(learner, dict(splits), [ON])
    judged = judging.judge(splits[ON], told.answers[ON])
    return Told(judging.answers_of(name, splits[ON], told, judged), judged.scores)


def effects_of(variants: Variants, name: str, learner: Learner) -> Iterator[Effect]:
    """What made rows were worth to a model, and all that `prepare` did; nothing where no rows choose.

    Args:
        variants: The run's rows.
        name: The model.
        learner: Its.

    Raises:
        DataError: Nothing can be learned from the rows that are left.
        ModelError: Learning failed.
    """
    judging, splits = variants.judging, variants.trained
    if ON not in splits:
        return
    left_out: list[tuple[Literal["made rows", "prepare"], bool]] = []
    if variants.makes:
        left_out.append(("made rows", True))
    if any(not isinstance(step, Make) for step in variants.unprepared.steps):
        left_out.append(("prepare", False))
    heard: dict[int, Told] = {}
    for what, fitted in left_out:
        with judging.context.stage(f"What {name} would be without {what}"):
            without = variants.whole(made=False, fitted=fitted)
            # What it does may not be among what models read: then there is nothing to compare.
            found: tuple[Comparison, ...] = ()
            if not without["train"].frame.equals(splits["train"].frame):
                for rows in (splits, without):  # both left out may leave the same rows
                    heard[id(rows)] = heard.get(id(rows)) or ask(judging, learner, name, rows)
                other = replace(heard[id(without)].answers, name=f"without {what}")
                found = judging.compare(splits[ON], other, heard[id(splits)].answers)
        heights = [one["train"].frame.height for one in (splits, without)]
        yield Effect(model=name, without=what, split=ON, rows=heights[0], rows_without=heights[1], comparisons=found)
