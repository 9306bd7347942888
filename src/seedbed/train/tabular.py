"""What learners of tables have in common: the columns as numbers, and what is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.rows import WEIGHT, data_columns
from seedbed.core.task import Task

from .columns import ColumnFeatures
from .scale import Scale
from .target import target_of
from .target_numbers import numbers_of
from .text_features import TextFeatures

#: Kinds of tasks that learners of tables can learn; and those of trees, which read texts as well.
KINDS = ("tabular_classification", "tabular_regression")
KINDS_OF_TREES = (*KINDS, "text_classification", "regression")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """What a learner of tables learns from."""

    columns: ColumnFeatures | TextFeatures
    features: Floats
    """Columns of the training rows as numbers, shape (rows, features); not a number where a value is missing."""
    right: NDArray[np.int64] | Floats
    """Codes of labels, as indices into `labels`; or numbers on their scale. Shape (rows,)."""
    weights: Floats | None
    """How much each row counts, shape (rows,); alike when left out."""
    labels: tuple[str, ...]
    """The labels; none where numbers are learned."""
    scale: Scale
    """Of the numbers."""

    @classmethod
    def of(
        cls,
        train: pl.DataFrame,
        task: Task,
        on: Literal["auto", "linear", "log"] = "auto",
        *,
        in_order: bool = False,
        components: int | None = None,
    ) -> Lesson:
        """Read training rows.

        Args:
            train: The rows.
            task: One of `KINDS_OF_TREES`.
            on: The scale on which numbers are learned.
            in_order: Whether categories get codes in the order of what is right there.
            components: Of texts: numbers that they are brought down to.

        Raises:
            DataError: There are too few rows, one label or number only, or no column that tells anything.
        """
        labels: tuple[str, ...] = ()
        right: NDArray[np.int64] | Floats
        if task.says == "label":
            target = target_of(train, task)
            labels, right, weights, scale = target.labels, target.codes, target.weights, Scale(log=False)
        else:
            numbers = numbers_of(train, task, on)
            right, weights, scale = numbers.values, numbers.weights, numbers.scale
        columns = _columns_of(train, task, components)
        if not columns.width:
            names = ", ".join(features_read(train, task)[:6])
            raise DataError(
                f"no column tells anything that could be learned ({names or 'there is none'})",
                at=task.answer or "",
                hint="numbers, dates and texts with few different values can be learned from",
            )
        features = columns.of(train)
        if in_order:
            held = right[:, None] == np.arange(len(labels)) if labels else right[:, None]
            columns = columns.in_order(features, held.astype(np.float64))
            features = columns.of(train)
        return cls(columns, features, right, weights, labels, scale)

    def others(self, rows: pl.DataFrame, task: Task) -> tuple[Floats, NDArray[np.int64] | Floats]:
        """Features of validation rows, and what is right there.

        Rows with a label that is not known, or a number that is not on the scale, are left out.
        """
        column = task.answer
        assert column is not None, "what is right stands in a column"
        if not self.labels:
            number = pl.col(column).cast(pl.Float64, strict=False)
            known = rows.filter(number.is_finite() & (number > 0 if self.scale.log else pl.lit(True)))
            return self.columns.of(known), self.scale.to(known[column])
        known = rows.filter(pl.col(column).cast(pl.String).is_in(list(self.labels)))
        codes = {label: code for code, label in enumerate(self.labels)}
        coded = known[column].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64)
        return self.columns.of(known), coded.to_numpy()


def _columns_of(train: pl.DataFrame, task: Task, components: int | None) -> ColumnFeatures | TextFeatures:
    if task.shown is not None:
        return TextFeatures.learn(train, task.shown, components)
    return ColumnFeatures.learn(train.select(features_read(train, task)))


def features_read(rows: pl.DataFrame, task: Task) -> list[str]:
    """The columns that are read: what the task reads, but for how much a row counts."""
    return [name for name in task.reads(data_columns(rows)) if name != WEIGHT]
