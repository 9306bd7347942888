"""What learners of numbers learn from: the numbers of training rows, and their scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.task import Task

from .scale import Scale
from .target import enough, weights_of


@dataclass(frozen=True)
class Numbers:
    """Numbers of training rows."""

    values: NDArray[np.float64]
    """The number of each row on the scale that is learned, shape (rows,)."""
    scale: Scale
    weights: NDArray[np.float64] | None = None
    """How much each row counts, shape (rows,); alike when left out."""


def numbers_of(train: pl.DataFrame, task: Task, on: Literal["auto", "linear", "log"] = "linear") -> Numbers:
    """The numbers of training rows, and how much each counts where the rows have the column `WEIGHT`.

    Args:
        train: The rows.
        task: One whose answer is a number.
        on: The scale to learn on.

    Raises:
        DataError: There are fewer than `FEWEST_ROWS` rows, one number only, what is none, or what has no logarithm
            where logarithms are asked for.
    """
    column = task.answer
    assert column is not None, "a task without numbers has none to learn"
    enough(train, column, "some dozens")
    values = train[column].cast(pl.Float64, strict=False)
    if lost := train.height - int(values.is_finite().sum()):
        raise DataError(f"{things(lost, 'training row has', 'training rows have')} no number", at=column)
    if values.n_unique() < 2:
        raise DataError(
            f"all training rows have the number {values[0]:g}; there is nothing to learn",
            at=column,
            hint="check the column, and the steps that reject rows",
        )
    scale = Scale.asked(on, values)
    return Numbers(values=scale.to(values), scale=scale, weights=weights_of(train))
