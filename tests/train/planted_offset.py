"""A learner that says one number, its option: the best one is the mean of what it learns from."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import orjson
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.search import Search
from seedbed.core.task import Task


class SaysOneNumber(ArrayModel):
    def __init__(self, number: float) -> None:
        self.number = number

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        return np.full((rows.height, 1), self.number)

    def save(self, folder: Path) -> None:
        (folder / "model.json").write_bytes(orjson.dumps(self.number))

    @classmethod
    def load(cls, folder: Path) -> SaysOneNumber:
        return cls(orjson.loads((folder / "model.json").read_bytes()))


class Offset(Learner):
    """Says a number."""

    learns: ClassVar[tuple[str, ...]] = ("tabular_regression",)
    model: ClassVar[type[Model[Any]]] = SaysOneNumber

    use: Literal["planted_offset"] = "planted_offset"
    offset: Annotated[float, Search(-10, 10)] = Field(0.0, description="The number.")
    seconds: float = Field(0.0, description="How long it takes.")
    dies_above: float = Field(1e9, description="From which number on its process dies.")
    fails_above: float = Field(1e9, description="From which number on it fails.")

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> SaysOneNumber:
        time.sleep(self.seconds)
        if self.offset > self.dies_above:
            os._exit(9)
        if self.offset > self.fails_above:
            raise ZeroDivisionError("as it was told to")
        return SaysOneNumber(self.offset)
