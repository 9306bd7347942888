"""What answers of one kind of task have in common, whatever model gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import ModelError
from seedbed.core.metric import Answers, Metric, Truth
from seedbed.core.numbers import things
from seedbed.core.run import ClassScore, Curves, Distances, ReliabilityBin
from seedbed.core.task import Task
from seedbed.evaluate.groups import Groups


@dataclass(frozen=True)
class Details:
    """What else than scores is told of a model's answers, as far as there is such a thing."""

    classes: dict[str, ClassScore]
    """By label."""
    confusion: list[list[int]]
    """Rows by true label (outer) and predicted label (inner)."""
    curves: Curves
    reliability: tuple[ReliabilityBin, ...] = ()
    distances: Distances | None = None


NO_DETAILS = Details({}, [], Curves())


@dataclass(frozen=True)
class Wrong:
    """An answer that is wrong, in words."""

    place: int
    """Of the row."""
    truth: str
    answer: str
    confidence: float | None
    """How sure the model was, where it says so."""


class Form(ABC):
    """How the answers of a task are read, checked, told and written.

    Truth and answers are what `seedbed.core.learner.Model` and the metrics of the same kind take.
    """

    quotes: ClassVar[bool] = False
    """Whether answers quote what data says, so that they are shown as excerpts."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in order; none where answers are no labels."""
        return ()

    @property
    def answer(self) -> str:
        """The column that holds what is right."""
        column = self.task.answer or self.task.shown
        assert column is not None
        return column

    @abstractmethod
    def truth(self, rows: pl.DataFrame) -> Truth:
        """What is right, of rows in the task's own form."""

    @abstractmethod
    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> Answers:
        """What a model answered, in order; labels in the task's order, whatever ones the model knows.

        Args:
            answers: What `predict` gave.
            rows: How many were asked about.
            known: The model's labels.

        Raises:
            ModelError: These are no answers to so many rows.
        """

    def right(self, truth: Truth, answers: Answers) -> NDArray[np.bool_] | None:
        """Which answers are right, shape (rows,); none where answers are more or less right."""
        return None

    def rightness(self, truth: Truth, answers: Answers) -> NDArray[np.float64] | None:
        """How right each answer is that the model is more or less sure of, from 0 to 1, shape (rows,), where it is."""
        right = self.right(truth, answers)
        return None if right is None else right.astype(np.float64)

    def strata(self, truth: Truth) -> NDArray[np.int64]:
        """Rows that are alike in what is right, shape (rows,): slices are compared among those."""
        return np.zeros(len(truth), dtype=np.int64)

    def beside_in_slices(self, metrics: Sequence[Metric]) -> Sequence[Metric]:
        """Those of the metrics that slices are told besides the first: none, where one says enough."""
        return ()

    def details(
        self, truth: Truth, answers: Answers, *, level: float, resamples: int, seed: int, groups: Groups = None
    ) -> Details:
        """What else there is to tell."""
        return NO_DETAILS

    @abstractmethod
    def wrong(self, truth: Truth, answers: Answers, most: int) -> list[Wrong]:
        """The answers that are most wrong, or of which the model was surest; equals in the order of the rows."""

    @abstractmethod
    def written(self, truth: Truth | None, answers: Answers) -> pl.DataFrame:
        """Columns of a file of predictions: `truth` where it is known, `predicted`, and how sure the model was."""

    def reread(self, written: pl.DataFrame) -> tuple[Truth, Answers] | None:
        """What is right and what was answered, from the columns of `written`; none where they do not hold it."""
        return None

    def said(self, answers: Answers) -> list[Any]:
        """Each answer as JSON can hold it: what a bundle's examples keep, and a client gets."""
        return self.written(None, answers).to_dicts()

    def apart(self, said: Any, again: Any) -> float:
        """How far two answers to one row are from each other, as `said` gives them: 0 the same, 1 or more another."""
        return float(said != again)


def refuse_shape(found: object, rows: int) -> ModelError:
    """The error of a model whose answers are not one a row."""
    shape = " x ".join(map(str, getattr(found, "shape", ("no",))))
    return ModelError(f"the model gave {shape} answers for {things(rows, 'row')}")


def listed(answers: Any, rows: int, columns: dict[str, Any]) -> pl.DataFrame:
    """A frame of answers with these columns, of these types.

    Raises:
        ModelError: It is none, or a column is not there.
    """
    if not isinstance(answers, pl.DataFrame) or answers.height != rows:
        raise refuse_shape(answers, rows)
    missing = [name for name in columns if name not in answers.columns]
    if missing:
        raise ModelError(f"the model's answers have no {missing[0]!r}")
    return answers.select(pl.col(name).cast(kind) for name, kind in columns.items())
