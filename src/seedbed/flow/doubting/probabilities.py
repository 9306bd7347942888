"""Probabilities of labels by models that did not see the rows: by fold; of test rows, by one that saw the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context, Stage
from seedbed.core.errors import DataError, ModelError, told_as
from seedbed.core.learner import Learner, Model
from seedbed.core.numbers import things
from seedbed.splits.folds import deal_folds

from .labelled import Labelled

Probabilities = NDArray[np.float32]

#: Probabilities that a model gives at once.
_CELLS = 4_000_000


def out_of_fold(rows: Labelled, learner: Learner, folds: int, context: Context, folder: Path) -> Probabilities:
    """Probabilities of each training and validation row by a model that saw the other folds.

    Args:
        rows: Folds are dealt by their clusters.
        learner: Who learns; it gets no validation rows.
        folds: How many.
        context: Seed, and where progress is shown.
        folder: Where the probabilities lie: they are not held in memory.

    Returns:
        In the order of the rows that are not held out, shape (rows, labels), as a map of a file; of numbers what the
        models foretell, shape (rows, 1).

    Raises:
        DataError: The rows cannot be learned from.
    """
    here = np.flatnonzero(~rows.held_out)
    clusters = rows.clusters[here]
    if (known := len(np.unique(clusters))) < 2:
        rows_in = f"{things(len(here), 'row')} in {things(known, 'cluster')}"
        raise DataError(f"{rows_in} cannot be doubted by one another", at="label_errors")
    folds = min(folds, known)
    fold = deal_folds(clusters, rows.strata(here), folds, context.seed)
    found = _opened(folder / "probabilities.npy", (len(here), len(rows.labels)))
    seen = rows.seen[here]
    with context.stage("Doubting the labels", len(here), "rows") as stage:
        for one in range(folds):
            held = pl.Series(fold == one)
            model = _fitted(learner, seen.filter(~held), rows, context)
            _write(found, np.flatnonzero(fold == one), model, seen.filter(held), rows, stage)
    return found


def of_test_rows(rows: Labelled, learner: Learner, context: Context, folder: Path) -> Probabilities:
    """Probabilities of each test row by a model that saw all others; as `out_of_fold`."""
    held = pl.Series(rows.held_out)
    found = _opened(folder / "probabilities_test.npy", (int(held.sum()), len(rows.labels)))
    if held.any():
        with context.stage("Doubting the labels of test rows", int(held.sum()), "rows") as stage:
            model = _fitted(learner, rows.seen.filter(~held), rows, context)
            _write(found, np.arange(len(found)), model, rows.seen.filter(held), rows, stage)
    return found


def _opened(path: Path, shape: tuple[int, int]) -> Probabilities:
    if not shape[0]:
        return np.zeros(shape, dtype=np.float32)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _fitted(learner: Learner, train: pl.DataFrame, rows: Labelled, context: Context) -> Model[Any]:
    with told_as(ModelError, learner.use):
        model = learner.fit(train, train.clear(), rows.task, context)
    model.use_store(context.store)
    return model


def _write(
    found: Probabilities,
    places: NDArray[np.int64],
    model: Model[Any],
    frame: pl.DataFrame,
    rows: Labelled,
    stage: Stage,
) -> None:
    """Write a model's probabilities at some places, in the order of the task's labels; 0 for those it does not know."""
    labels = rows.labels
    known = [labels.index(label) for label in model.labels] if model.labels else [0]  # one number a row
    asked = rows.task.as_asked(frame)
    for start in range(0, frame.height, step := max(1, _CELLS // len(labels))):
        some = asked.slice(start, step)
        with told_as(ModelError, type(model).__name__):
            told = model.predict(some)
        block = np.zeros((some.height, len(labels)), dtype=np.float32)
        block[:, known] = told
        found[places[start : start + step]] = block
        stage.advance(some.height)
