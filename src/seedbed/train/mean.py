"""mean: the simplest thing that could work where the answer is a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task

from .target_numbers import numbers_of


class MeanModel(ArrayModel):
    """Gives every row the same number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """The same number for every row, shape (rows, 1)."""
        return np.full((rows.height, 1), self.number)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / "model.json").write_bytes(orjson.dumps({"number": self.number}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(float(orjson.loads((folder / "model.json").read_bytes())["number"]))


class Mean(Learner):
    """Always answers with the mean of the training rows' numbers, or with their median.

    ## Why
    It is the least that a model must beat: an error means nothing before one knows what no learning at all would get.
    The mean has the least squared error that one answer to all rows can have (`rmse`), the median the least distance
    (`mae`).

    ## Limits
    It never looks at the row, and each training row counts once.
    """

    learns: ClassVar[tuple[str, ...]] = ("regression", "tabular_regression")
    model: ClassVar[type[Model[Any]]] = MeanModel

    use: Literal["mean"] = "mean"
    statistic: Literal["mean", "median"] = Field(
        "mean", description="The number to answer: the `mean` of the training rows', or their `median`."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="one costs ten times as much as the others",
            before={"text": ["a lamp", "a chair", "a stool", "a sofa"], "target": [20.0, 30.0, 40.0, 310.0]},
            after={"predicted": [100.0, 100.0, 100.0, 100.0]},
        ),
        Example(
            title="half of them cost less than",
            options={"statistic": "median"},
            before={"width": [10, 20, 30, 200], "target": [20.0, 30.0, 40.0, 310.0]},
            after={"predicted": [35.0, 35.0, 35.0, 35.0]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> MeanModel:
        """Take the middle. Validation rows are not used.

        Raises:
            DataError: There are too few rows, or one number only.
        """
        values = numbers_of(train, task).values
        return MeanModel(float(np.median(values) if self.statistic == "median" else np.mean(values)))
