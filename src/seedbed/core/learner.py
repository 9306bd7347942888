"""Learners make models from training rows; a model answers, and is saved as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .context import Context
from .part import Part
from .task import Says, Task

Answers = TypeVar("Answers")
#: In how many bits a network's weights are held.
Precision = Literal["fp32", "int8"]


@dataclass(frozen=True)
class Serving:
    """How a model is opened that answers a few rows at a time, for long."""

    store: Path
    """Where what that takes may be kept."""
    precision: Precision = "fp32"


class Model(ABC, Generic[Answers]):
    """What was learned. It needs no learner to answer.

    What it answers depends on what its task says (`Task.says`), a row for each row that it is asked about:

    ```
    label    probability of each of `labels`, each row adding up to 1       array (rows, labels)
    labels   probability of each of `labels`, each by itself                array (rows, labels)
    number   the number                                                     array (rows, 1)
    spans    `text` (null: no answer), `start` (characters), `confidence`   frame
    text     `text`                                                         frame
    turns    `text`: what the assistant says next                           frame
    itself   `nats`, `tokens`: minus the log-likelihood of the text, and    frame
             the tokens that it is of
    ```
    """

    labels: tuple[str, ...] = ()
    """The labels that it knows, where its task has labels."""
    told: tuple[str, ...] = ()
    """What is worth telling of how it was learned, a sentence each: options that were chosen, weights."""
    at_once: bool = False
    """Whether threads may ask it at the same time."""
    precision: Precision = "fp32"

    @abstractmethod
    def predict(self, rows: pl.DataFrame) -> Answers:
        """What it answers to rows that have the columns `Task.reads`, in the rows' order."""

    def use_store(self, store: Path) -> None:
        """Where the model may keep what it would else compute again and again (embeddings by text); most need none."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into an empty folder, as data that is read without running code (no pickle)."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""

    @classmethod
    def serving(cls, folder: Path, serving: Serving) -> Model[Answers]:
        """Read what `save` wrote, to answer a few rows at a time, for long: faster or with less, if there is a way.

        Args:
            folder: What `save` wrote.
            serving: How; a model that has no such weights comes with others (`precision`).
        """
        return cls.load(folder)


#: A model whose answers are numbers: probabilities of labels, or a number a row.
ArrayModel = Model[NDArray[np.float64]]
#: A model whose answers are a frame.
FrameModel = Model[pl.DataFrame]


@runtime_checkable
class Continues(Protocol):
    """A model that says how likely texts are, and can also write how one goes on."""

    def go_on(self, beginnings: Sequence[str], most: int, seed: int) -> list[str]:
        """What comes after each beginning, at most so many characters; each token is drawn by its chance."""


class Only:
    """Says of a learner's option what a task must say for it to matter: `weight: Annotated[Weight, Only("label")]`."""

    def __init__(self, *says: Says) -> None:
        self.says = says


_ANSWERS: Mapping[Says, str] = {"label": "one label", "labels": "any number of labels", "number": "a number"}


class Learner(Part):
    """Learns a model from training rows."""

    family: ClassVar[str] = "learners"
    room: ClassVar[str] = "train"
    learns: ClassVar[tuple[str, ...]] = ("text_classification",)
    """Kinds of tasks that it can learn."""
    model: ClassVar[type[Model[Any]]]
    """What `fit` returns, and what a saved bundle of this learner is read with."""
    heeds_weights: ClassVar[bool] = False
    """Whether it heeds how much each training row counts, where the rows have the column `WEIGHT`."""

    @classmethod
    def unheeded(cls, task: Task) -> Mapping[str, Only]:
        """Options that mean nothing for a task."""
        return {
            name: said
            for name, field in cls.model_fields.items()
            for said in field.metadata
            if isinstance(said, Only) and task.says not in said.says
        }

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Options that mean nothing for the task, before anything runs: the option, the problem, the way out."""
        for name, only in self.unheeded(task).items():
            if getattr(self, name) != type(self).model_fields[name].default:
                answers = " or ".join(_ANSWERS.get(says, says) for says in only.says)
                hint = f"leave it out: it is for tasks whose answer is {answers}"
                yield name, f"means nothing for {task.kind}", hint

    @abstractmethod
    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> Model[Any]:
        """Learn from `train`; `validation` may only be used to choose (stopping, thresholds, calibration).

        Rows have `ROW`, the columns that the task reads, and its answer. The task is one that `learns` names; its
        labels, if it has any, are known.

        Raises:
            DataError: The rows cannot be learned from (too few, one label).
            ModelError: Learning failed.
        """


def who_learns(kind: str) -> list[str]:
    """Names of the learners that a task of some kind can have, as they are known by now."""
    return sorted(name for name, part in Learner.catalogue.items() if issubclass(part, Learner) and kind in part.learns)
