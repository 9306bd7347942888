"""majority: the simplest thing that could work."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task

from .target_sets import TargetSets, coded


class MajorityModel(ArrayModel):
    """Gives every row the shares of the labels among the training rows."""

    def __init__(self, labels: tuple[str, ...], shares: tuple[float, ...]) -> None:
        self.labels, self.shares = labels, shares

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """The same shares for every row, shape (rows, labels)."""
        return np.tile(np.array(self.shares, dtype=np.float64), (rows.height, 1))

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / "model.json").write_bytes(orjson.dumps({"labels": self.labels, "shares": self.shares}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        saved = orjson.loads((folder / "model.json").read_bytes())
        return cls(tuple(saved["labels"]), tuple(saved["shares"]))


class Majority(Learner):
    """Always answers with the most frequent label of the training rows, or with the labels that most of them have.

    ## Why
    It is the least that a model must beat: a score means nothing before one knows what no learning at all would get.
    Its probabilities are the labels' shares among the training rows.

    ## Limits
    It never looks at the row. Of equally frequent labels the first in the task's order wins. Where rows have any number
    of labels, it gives those that at least half of the training rows have: often none.
    """

    learns: ClassVar[tuple[str, ...]] = (
        "text_classification",
        "multi_label_classification",
        "tabular_classification",
    )
    model: ClassVar[type[Model[Any]]] = MajorityModel

    use: Literal["majority"] = "majority"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="most rows are ham",
            before={"text": ["hi", "see you", "win now", "on my way"], "label": ["ham", "ham", "spam", "ham"]},
            after={"predicted": ["ham", "ham", "ham", "ham"]},
        ),
        Example(
            title="a tie",
            before={"text": ["hi", "see you", "win now", "cash!"], "label": ["spam", "ham", "spam", "ham"]},
            after={"predicted": ["ham", "ham", "ham", "ham"]},
        ),
        Example(
            title="labels that at least half of the rows have",
            before={"text": list("abcd"), "label": [["x", "y"], ["x"], ["y"], ["x", "z"]]},
            after={"predicted": [["x", "y"]] * 4},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> MajorityModel:
        """Count the labels.

        Raises:
            DataError: There are too few rows, or one label (or set of labels) only.
        """
        target = coded(train, task)
        if isinstance(target, TargetSets):
            return MajorityModel(target.labels, tuple(target.held.mean(axis=0).tolist()))
        counts = np.bincount(target.codes, minlength=len(target.labels))
        return MajorityModel(target.labels, tuple((counts / counts.sum()).tolist()))
