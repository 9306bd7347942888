"""Models out of the store, or trained and put there: what a model is made of names it."""

from __future__ import annotations

import shutil
import time
from typing import Any

import polars as pl

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import MissingExtraError, ModelError, told_as
from seedbed.core.learner import Learner, Model
from seedbed.core.task import Task
from seedbed.engine.provenance import code_of, versions
from seedbed.store.store import Store

#: Libraries whose versions may change models, besides those that may change rows.
_LIBRARIES = ("scikit-learn", "scipy")


def trained(
    learner: Learner, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context
) -> tuple[Model[Any], float]:
    """A learner's model. What was trained before on the same rows comes from the store.

    Args:
        learner: Whose.
        train: Training rows.
        validation: Rows that may be used to choose; none where there are none.
        task: What is learned.
        context: With the store and the seed.

    Returns:
        The model, and the seconds that it took to train.

    Raises:
        ModelError: It could not be trained.
        MissingExtraError: Packages that it needs are not installed.
    """
    place = Store.of(context).artefact("models", _key(learner, train, validation, task, context))
    folder = place.folder / "model"
    if place.whole:
        try:
            model, seconds = type(learner).model.load(folder), place.facts()["seconds"]
            model.use_store(context.store)
            return model, seconds
        except MissingExtraError:
            raise
        except Exception:  # noqa: BLE001 (each library says in its own way that a file is damaged)
            place.done.unlink()  # train again
    start = time.perf_counter()
    with told_as(ModelError, learner.use):
        model = learner.fit(train, validation, task, context)
    seconds = round(time.perf_counter() - start, 3)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    model.save(folder)
    place.seal({"seconds": seconds})
    model.use_store(context.store)
    return model, seconds


def _key(learner: Learner, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> str:
    """Digest of everything that a model is made of."""
    rows = []
    for frame in (train, validation):
        told = digest.RowsDigest()
        told.update(frame)
        rows.append(told.hexdigest())
    options, made_of = [learner.model_dump(mode="json"), learner.made_from()], task.model_dump(mode="json")
    return digest.of_json([rows, options, made_of, context.seed, code_of(type(learner)), versions(*_LIBRARIES)])
