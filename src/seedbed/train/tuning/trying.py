"""Tries a learner's options on a fold: learns on the other rows, and measures on those of the fold."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.errors import SeedbedError
from seedbed.core.learner import Learner
from seedbed.core.metric import Metric
from seedbed.core.task import Task
from seedbed.train.composing.any_learner import changed
from seedbed.train.composing.truth import answers_of, truth_of

from .known import Outcome


@dataclass(frozen=True)
class Setting:
    """What all trials of a search share. It pickles: rows are in a folder that all workers see."""

    learner: Learner
    task: Task
    metric: Metric
    context: Context
    rows: Path


@dataclass(frozen=True)
class Work:
    """Options to try on a fold."""

    setting: Setting
    options: Mapping[str, Any]
    fold: int


def keep_rows(train: pl.DataFrame, validation: pl.DataFrame, folds: NDArray[np.int64] | None, folder: Path) -> None:
    """Write rows where workers find them.

    Args:
        train: Rows to learn from.
        validation: Rows to choose with.
        folds: The fold of each row of `train`; none where `validation` is what is measured on.
        folder: Where to.
    """
    train.write_ipc(folder / "train.arrow")
    validation.write_ipc(folder / "validation.arrow")
    if folds is not None:
        np.save(folder / "folds.npy", folds, allow_pickle=False)


@lru_cache(maxsize=1)
def _kept(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, NDArray[np.int64] | None]:
    folds = np.load(folder / "folds.npy", allow_pickle=False) if (folder / "folds.npy").exists() else None
    read = [pl.read_ipc(folder / f"{name}.arrow") for name in ("train", "validation")]
    return read[0], read[1], folds


def forget_rows() -> None:
    """Let go of rows that were read."""
    _kept.cache_clear()


def attempt(work: Work) -> Outcome:
    """What comes of options on a fold; a failure is an outcome, too."""
    started = time.perf_counter()
    try:
        score, error = _score(work), ""
    except SeedbedError as problem:
        score, error = None, problem.in_a_line()
    except Exception as problem:  # noqa: BLE001 (whatever a learner makes of odd options, the others go on)
        score, error = None, f"{type(problem).__name__}: {(str(problem).splitlines() or [''])[0][:200]}"
    return Outcome(score, round(time.perf_counter() - started, 3), error)


def _score(work: Work) -> float | None:
    setting = work.setting
    train, validation, folds = _kept(setting.rows)
    held = validation
    if folds is not None:
        held, train = train.filter(pl.Series(folds == work.fold)), train.filter(pl.Series(folds != work.fold))
    learner = changed(setting.learner, work.options)
    model = learner.fit(train, validation, setting.task, setting.context)
    model.use_store(setting.context.store)
    truth, answers = truth_of(setting.task, held), answers_of(model, setting.task, held)
    value = float(setting.metric.of_rows(truth, answers, np.ones((1, held.height), dtype=np.uint8))[0])
    return None if np.isnan(value) else value
