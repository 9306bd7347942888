"""Things with a price, and the learners of numbers and tables that are to tell it."""

from typing import Any

import numpy as np
import polars as pl

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.task import Regression, TabularClassification, TabularRegression, Task
from seedbed.train import (
    DecisionTree,
    EmbeddingRidge,
    GradientBoosting,
    Majority,
    Mean,
    RandomForest,
    TabularLinear,
    TfidfRidge,
)

TEXTS = Regression(kind="regression", text="text", target="target")
NUMBERS = TabularRegression(kind="tabular_regression", target="target")
LABELS = TabularClassification(kind="tabular_classification", label="label")
THINGS = {"lamp": 20.0, "chair": 40.0, "table": 90.0, "sofa": 300.0, "shelf": 60.0}
MADE_OF = {"wood": 1.0, "oak": 1.6, "steel": 1.3, "gold": 4.0}


def table(n: int, seed: int = 1, *, missing: float = 0.15) -> pl.DataFrame:
    """Things with a price that depends on what they are, what they are made of, their width and their age."""
    random = np.random.default_rng(seed)
    thing, made_of = random.choice(list(THINGS), n), random.choice(list(MADE_OF), n)
    width, age = random.uniform(0.5, 3, n), random.integers(0, 40, n).astype(float)
    price = [THINGS[a] * MADE_OF[b] for a, b in zip(thing, made_of, strict=True)] * width * 0.98**age
    price = np.round(price * random.lognormal(0, 0.05, n), 2) if n else np.zeros(0)
    gone = random.random((3, n)) < missing
    label = np.where(price > 150, "dear", np.where(price > 60, "fair", "cheap"))
    return pl.DataFrame(
        {
            "row": [f"r{i}" for i in range(n)],
            "thing": [None if lost else str(a) for a, lost in zip(thing, gone[0], strict=True)],
            "made_of": made_of.tolist(),
            "width": [None if lost else w for w, lost in zip(width.tolist(), gone[1], strict=True)],
            "age": [None if lost else a for a, lost in zip(age.tolist(), gone[2], strict=True)],
            "name": [f"no. {seed}-{i}" for i in range(n)],
            "text": [f"a {b} {a}" for a, b in zip(thing, made_of, strict=True)],
            "target": price.tolist(),
            "label": label.tolist(),
        },
        schema_overrides={name: pl.String for name in ("row", "thing", "made_of", "name", "text", "label")}
        | {name: pl.Float64 for name in ("width", "age", "target")},
    )


def seen(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    """The columns that a learner gets: what the task reads, the answer and the row's name."""
    if isinstance(task, Regression):
        return rows.select("row", "text", "target")
    return rows.drop("text", "label" if task.answer == "target" else "target")


def fit(learner: Learner, train: pl.DataFrame, task: Task, validation: pl.DataFrame | None = None) -> Model[Any]:
    return learner.fit(
        seen(train, task), seen(train.clear() if validation is None else validation, task), task, Context()
    )


def asked(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    return task.as_asked(seen(rows, task))


FEW = {"trees": 15}
CASES = [
    (Mean(), TEXTS),
    (Mean(statistic="median"), NUMBERS),
    (TfidfRidge(), TEXTS),
    (EmbeddingRidge(alpha=0.01), TEXTS),
    (Majority(), LABELS),
    *((learner, task) for learner in (TabularLinear(), DecisionTree()) for task in (LABELS, NUMBERS)),
    (RandomForest(**FEW), LABELS),
    (RandomForest(**FEW), NUMBERS),
    (GradientBoosting(max_iter=40), LABELS),
    (GradientBoosting(max_iter=40), NUMBERS),
]
