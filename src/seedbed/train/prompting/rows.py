"""Rows as a model is told of them, and those that it is shown as examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import WEIGHT, data_columns
from seedbed.core.task import Task
from seedbed.train.target import texts_of
from seedbed.train.terms import Terms

Choose = Literal["balanced", "nearest"]


@dataclass(frozen=True)
class Showing:
    """Which training rows a prompt shows."""

    many: int = 0
    choose: Choose = "balanced"
    keep: bool = False
    """Whether they are part of a bundle."""


@dataclass(frozen=True)
class Reader:
    """How rows are told: the text, or the columns of a table, a line each."""

    columns: tuple[str, ...]
    alone: bool
    """Whether there is a text and nothing else."""
    most: int
    """Characters after which it is cut."""

    @classmethod
    def of(cls, rows: pl.DataFrame, task: Task, most: int) -> Self:
        """As a task has it."""
        read = tuple(name for name in task.reads(data_columns(rows)) if name != WEIGHT)
        return cls(read, task.shown is not None, most)

    def __call__(self, rows: pl.DataFrame) -> list[str]:
        """Each row's text.

        Raises:
            ModelError: A column is not there.
        """
        columns = [texts_of(rows, name) for name in self.columns]
        if self.alone:
            return [text[: self.most] for text in columns[0]]
        lines = (
            "\n".join(f"{name}: {value}" for name, value in self._known(row)) for row in zip(*columns, strict=True)
        )
        return [text[: self.most] for text in lines]

    def _known(self, row: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(name, value) for name, value in zip(self.columns, row, strict=True) if value]


@dataclass(frozen=True)
class Shown:
    """Training rows that may be shown, and what is right there."""

    texts: tuple[str, ...]
    answers: tuple[Any, ...]
    """A label, a list of labels, or a number, each."""

    def __len__(self) -> int:
        return len(self.texts)

    def some(self, places: Sequence[int]) -> list[tuple[str, Any]]:
        """Those at some places."""
        return [(self.texts[place], self.answers[place]) for place in places]

    def saved(self) -> dict[str, Any]:
        """As JSON."""
        return {"texts": self.texts, "answers": self.answers}


class Nearest:
    """Finds the examples that are nearest to a text, by the cosine of TF-IDF of words and of characters in them."""

    def __init__(self, shown: Shown, many: int) -> None:
        self._shown, self._many = shown, many
        words = Terms.learn("words", (1, 2), shown.texts, min_df=1, max_features=None)
        characters = Terms.learn("characters", (2, 4), shown.texts, min_df=1, max_features=None)
        self._known = [one for one in (words, characters) if one is not None]

    def __call__(self, texts: Sequence[str]) -> list[list[tuple[str, Any]]]:
        """For each text the examples, the nearest last; one with the very text is none."""
        alike = np.zeros((len(texts), len(self._shown)))
        for terms, features in self._known:
            alike += (terms.transform(texts) @ features.T).toarray()
        found = []
        for text, row in zip(texts, alike, strict=True):
            order = np.argsort(-row.round(6), kind="stable").tolist()  # rounded otherwise among others
            near = [place for place in order if self._shown.texts[place] != text][: self._many]
            found.append(self._shown.some(near[::-1]))
        return found


def answers_of(train: pl.DataFrame, task: Task) -> list[Any]:
    """What is right in training rows: a label, a list of labels, or a number, each."""
    assert task.answer is not None
    values = train[task.answer]
    if task.says == "labels":
        return [list(one) for one in values.cast(pl.List(pl.String)).to_list()]
    return values.cast(pl.String if task.says == "label" else pl.Float64).to_list()


def pool_of(texts: Sequence[str], answers: Sequence[Any], most: int, seed: int) -> Shown:
    """Training rows that may be shown, drawn; each text once."""
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    first = {texts[place]: place for place in reversed(order) if texts[place].strip()}
    chosen = [place for place in order if first.get(texts[place]) == place][:most]
    return Shown(tuple(texts[place] for place in chosen), tuple(answers[place] for place in chosen))


def balanced(pool: Shown, many: int, says: str, labels: Sequence[str]) -> Shown:
    """Some of them, each label as often as the others; numbers from the whole range.

    Args:
        pool: In the order in which they were drawn.
        many: How many, if there are so many.
        says: `label`, `labels` or `number`.
        labels: The labels, if any.
    """
    places = list(range(len(pool)))
    if says == "number":
        order = sorted(places, key=lambda place: pool.answers[place])
        chosen = sorted({order[round(at)] for at in np.linspace(0, len(order) - 1, min(many, len(order)))})
        return _at(pool, chosen)
    held: list[list[int]] = [[place for place in places if _has(pool.answers[place], label)] for label in labels]
    held.append([place for place in places if pool.answers[place] == []])
    taken: list[int] = []
    while len(taken) < min(many, len(pool)):
        for group in held:
            left = [place for place in group if place not in taken]
            if left and len(taken) < many:
                taken.append(left[0])
    return _at(pool, sorted(taken))


def instead_of(train: pl.DataFrame, task: Task, labels: Sequence[str]) -> NDArray[np.float64]:
    """What stands for an answer that says nothing: the shares of labels, or the median. Shape (labels,) or (1,)."""
    answers = answers_of(train, task)
    if task.says == "number":
        return np.array([float(np.median(answers))])
    held = np.array([[_has(one, label) for label in labels] for one in answers], dtype=np.float64)
    return np.asarray(held.mean(axis=0))


def _has(answer: Any, label: str) -> bool:
    return label in answer if isinstance(answer, list) else answer == label


def _at(pool: Shown, places: Sequence[int]) -> Shown:
    return Shown(tuple(pool.texts[place] for place in places), tuple(pool.answers[place] for place in places))
