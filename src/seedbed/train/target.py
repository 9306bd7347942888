"""What a classifier learns from and predicts from: coded labels, and texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError, ModelError
from seedbed.core.numbers import things
from seedbed.core.rows import WEIGHT
from seedbed.core.task import Task

#: Fewer training rows than this teach nothing.
FEWEST_ROWS = 4
#: Column of training rows that says of each label, in the task's order, how much of it a row has; a teacher says so.
SHARES = "label_shares"


@dataclass(frozen=True)
class Target:
    """Labels of training rows."""

    labels: tuple[str, ...]
    """The task's labels in its order, else those of the rows, sorted."""
    codes: NDArray[np.int64]
    """Label of each row, as an index into `labels`, shape (rows,)."""
    weights: NDArray[np.float64] | None = None
    """How much each row counts, shape (rows,); alike when left out."""
    shares: NDArray[np.float64] | None = None
    """How much of each label a row has, shape (rows, labels), each row adding up to 1; all of its own if left out."""

    def some(self, rows: NDArray[np.int64]) -> Target:
        """The labels of some of the rows."""
        weights, shares = (None if one is None else one[rows] for one in (self.weights, self.shares))
        return Target(self.labels, self.codes[rows], weights, shares)


def target_of(train: pl.DataFrame, task: Task) -> Target:
    """The labels of training rows, and how much each counts where the rows have the column `WEIGHT`.

    Args:
        train: The rows.
        task: One whose answer is one of several labels.

    Raises:
        DataError: There are fewer than `FEWEST_ROWS` rows, one label only, or a label that the task does not know.
    """
    column = task.answer
    assert column is not None, "a task without labels has none to learn"
    enough(train, column, "some dozens for each label")
    values = train[column].cast(pl.String)
    labels = known_labels(values, task, column)
    if values.has_nulls():
        raise DataError(f"{things(values.null_count(), 'training row has', 'training rows have')} no label", at=column)
    if values.n_unique() < 2:
        raise DataError(
            f"all training rows have the label {values[0]!r}; a classifier needs at least two labels to learn from",
            at=column,
            hint="check the label column, and the steps that reject rows",
        )
    codes = values.replace_strict(list(labels), list(range(len(labels))), return_dtype=pl.Int64)
    return Target(labels=labels, codes=codes.to_numpy(), weights=weights_of(train), shares=shares_of(train))


def enough(train: pl.DataFrame, at: str, useful: str = "many more") -> None:
    """Refuse too few training rows.

    Args:
        train: They.
        at: The column that is to be learned.
        useful: How many rows a useful model needs.

    Raises:
        DataError: There are fewer than `FEWEST_ROWS`.
    """
    if train.height < FEWEST_ROWS:
        raise DataError(
            f"{things(train.height, 'training row is', 'training rows are')} too few to learn from",
            at=at,
            hint=f"at least {FEWEST_ROWS} are needed; a useful model needs {useful}",
        )


def known_labels(said: pl.Series, task: Task, column: str) -> tuple[str, ...]:
    """The task's labels in its order, else those that are said, sorted.

    Raises:
        DataError: One is said that the task does not know.
    """
    found = sorted(said.drop_nulls().unique().to_list())
    labels = task.names or tuple(found)
    unknown = [label for label in found if label not in labels]
    if unknown:
        raise DataError(f"training rows have the label {unknown[0]!r}, which the task does not know", at=column)
    return tuple(labels)


def weights_of(train: pl.DataFrame) -> NDArray[np.float64] | None:
    """How much each training row counts, shape (rows,); none where all count alike."""
    return train[WEIGHT].cast(pl.Float64).to_numpy() if WEIGHT in train.columns else None


def shares_of(train: pl.DataFrame) -> NDArray[np.float64] | None:
    """How much of each label each training row has, shape (rows, labels); none where no teacher says so."""
    return np.stack(train[SHARES].to_list()) if SHARES in train.columns else None


def texts_of(rows: pl.DataFrame, column: str) -> list[str]:
    """The texts of rows; a missing one is empty.

    Raises:
        ModelError: The rows have no such column.
    """
    if column not in rows.columns:
        raise ModelError(
            f"the model reads the column {column!r}, which the rows do not have",
            hint=f"they have: {', '.join(rows.columns[:12]) or 'no columns'}",
        )
    return rows[column].cast(pl.String).fill_null("").to_list()
