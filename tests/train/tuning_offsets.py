"""Rows, and a search for the one number that is best for them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import planted_offset  # noqa: F401  (a learner that can be named, once it is imported)
import polars as pl

from seedbed.core.context import Context
from seedbed.core.rows import ROW
from seedbed.core.task import TabularRegression, TextClassification
from seedbed.train import Tuned
from seedbed.train.tuned import TunedModel

NUMBERS = TabularRegression(target="y", features=("x",))
TEXTS = TextClassification(text="text", label="label")
BEST = 3.7


def numbers(n: int = 60, seed: int = 1) -> pl.DataFrame:
    drawn = np.random.default_rng(seed)
    y = drawn.normal(0, 1, n)
    return pl.DataFrame({ROW: [f"0:x#{i}" for i in range(n)], "x": np.arange(float(n)), "y": y - y.mean() + BEST})


def texts(n: int = 120, seed: int = 1) -> pl.DataFrame:
    drawn = random.Random(seed)
    words = {"bad": "awful sad broken late", "good": "lovely happy fine early"}
    labels = [drawn.choice(list(words)) for _ in range(n)]
    noise = [f"w{i}" for i in range(200)]
    said = [" ".join([drawn.choice(words[one].split()), *drawn.choices(noise, k=8)]) for one in labels]
    return pl.DataFrame({ROW: [f"0:x#{i}" for i in range(n)], "text": said, "label": labels})


def offset(**options: Any) -> Tuned:
    inner = {"use": "planted_offset", **options.pop("learner", {})}
    return Tuned.model_validate({"learner": inner, **options})


def fit(tuned: Tuned, store: Path, train: pl.DataFrame | None = None, **context: Any) -> TunedModel:
    train = numbers() if train is None else train
    task = NUMBERS if "y" in train.columns else TEXTS
    return tuned.fit(train, train.clear(), task, Context(store=store, **context))


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[tuple[float, str]] = []
        self.total: float | None = None

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.total = total
        return self

    def advance(self, amount: float = 1, note: str = "", **more: Any) -> None:
        self.shown.append((amount, note))

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)
