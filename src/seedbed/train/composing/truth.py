"""What is right of rows, and what a model answers, in the forms that metrics take: see `seedbed.core.learner.Model`."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.learner import Model
from seedbed.core.metric import Answers, Truth
from seedbed.core.rows import WEIGHT
from seedbed.core.task import Task


def with_labels(task: Task, train: pl.DataFrame) -> Task:
    """The task with its labels, those of the training rows where it names none: folds may lack some."""
    if task.says not in ("label", "labels") or task.names or task.answer is None:
        return task
    values = train[task.answer]
    values = values.explode() if isinstance(values.dtype, pl.List) else values
    return task.model_copy(update={"labels": tuple(sorted(values.cast(pl.String).drop_nulls().unique()))})


def truth_of(task: Task, rows: pl.DataFrame) -> Truth:
    """What is right of each row.

    Args:
        task: With its labels, where it has any; a row's label that is none of them is -1.
        rows: With the answer.
    """
    column = task.answer or task.shown
    assert column is not None
    values = rows[column]
    match task.says:
        case "label":
            codes = {label: code for code, label in enumerate(task.names)}
            return values.cast(pl.String).replace_strict(codes, default=-1, return_dtype=pl.Int64).to_numpy()
        case "labels":
            held = values.cast(pl.List(pl.String)).list
            return np.column_stack([held.contains(label).fill_null(False).to_numpy() for label in task.names])
        case "number":
            return values.cast(pl.Float64).to_numpy()
        case "turns":
            return values.list.last().struct.field("content").fill_null("")
        case "spans":
            return values
    return values.cast(pl.String)


def answers_of(model: Model[Any], task: Task, rows: pl.DataFrame) -> Answers:
    """What a model answers to rows, which it gets without what is right; labels are in the task's order."""
    asked = task.as_asked(rows).drop(WEIGHT, strict=False)
    found = model.predict(asked)
    if task.says in ("label", "labels"):
        return in_order(found, model.labels, task.names)
    return np.asarray(found, dtype=np.float64).reshape(rows.height, 1) if task.says == "number" else found


def in_order(
    probabilities: NDArray[np.float64], known: tuple[str, ...], labels: tuple[str, ...]
) -> NDArray[np.float64]:
    """Probabilities in the order of some labels; 0 for those that a model does not know, shape (rows, labels)."""
    if known == labels:
        return probabilities
    found = np.zeros((len(probabilities), len(labels)))
    found[:, [labels.index(label) for label in known]] = probabilities
    return found
