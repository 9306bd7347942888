"""Texts with any number of labels, plain from their words; who learns them, and who is told how it goes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.task import MultiLabelClassification

WORDS = {"sad": "awful sad broken angry late", "glad": "lovely happy fine sunny early", "home": "table chair lamp door"}
LABELS = tuple(sorted(WORDS))
TASK = MultiLabelClassification(kind="multi_label_classification", text="body", label="moods", labels=LABELS)


def rows(n: int, seed: int = 1, words: dict[str, str] = WORDS) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [sorted(label for label in words if chosen.random() < 0.4) for _ in range(n)]
    said = [[word for label in held for word in chosen.choices(words[label].split(), k=2)] for held in moods]
    bodies = [" ".join(chosen.sample([*own, "the", "a", "is"], k=len(own) + 3)) for own in said]
    return pl.DataFrame({"body": bodies, "moods": moods}, schema={"body": pl.String, "moods": pl.List(pl.String)})


def fit(
    learner: Learner,
    train: pl.DataFrame,
    task: MultiLabelClassification = TASK,
    validation: pl.DataFrame | None = None,
    context: Context | None = None,
) -> Model[Any]:
    return learner.fit(train, train.clear() if validation is None else validation, task, context or Context())


@dataclass
class Heard:
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.shown.append(f"{title}: {total:g} {unit}")
        return self

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.shown.append(note)

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)
