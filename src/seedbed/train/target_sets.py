"""What a classifier learns from where rows have one label, or any number of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.task import MultiLabelClassification, Task, TextClassification

from .target import Target, enough, known_labels, shares_of, target_of, weights_of

#: Tasks of texts with labels, and their kinds.
TextTask = TextClassification | MultiLabelClassification
LABELS_OF_TEXTS = ("text_classification", "multi_label_classification")

#: A label that fewer training rows have, or that fewer lack, is as likely as it is frequent, whatever the row.
FEWEST_OF_A_LABEL = 3


@dataclass(frozen=True)
class TargetSets:
    """Sets of labels of training rows."""

    labels: tuple[str, ...]
    """The task's labels in its order, else those of the rows, sorted."""
    held: NDArray[np.bool_]
    """Which labels each row has, shape (rows, labels)."""
    weights: NDArray[np.float64] | None = None
    """How much each row counts, shape (rows,); alike when left out."""
    taught: NDArray[np.float64] | None = None
    """How much of each label a row has, from 0 to 1, shape (rows, labels); all of its own if left out."""

    def some(self, rows: NDArray[np.int64]) -> TargetSets:
        """The labels of some of the rows."""
        weights, taught = (None if one is None else one[rows] for one in (self.weights, self.taught))
        return TargetSets(self.labels, self.held[rows], weights, taught)

    def one(self, place: int) -> Target:
        """Whether rows have the label at a place, as a choice between two: of not having it (0) and having it (1)."""
        label = self.labels[place]
        shares = None if self.taught is None else np.stack([1 - self.taught[:, place], self.taught[:, place]], axis=1)
        return Target((f"not {label}", label), self.held[:, place].astype(np.int64), self.weights, shares)

    def learnable(self, place: int) -> bool:
        """Whether enough rows have the label at a place, and enough lack it."""
        having = int(self.held[:, place].sum())
        return min(having, len(self.held) - having) >= FEWEST_OF_A_LABEL

    def shares(self) -> NDArray[np.float64]:
        """The share of the rows that have each label, as if one row more had half of it: never 0 or 1."""
        weights = np.ones(len(self.held)) if self.weights is None else self.weights
        return np.asarray((weights @ self.held + 0.5) / (weights.sum() + 1))


def coded(train: pl.DataFrame, task: Task) -> Target | TargetSets:
    """The labels of training rows: one each, or any number.

    Raises:
        DataError: They cannot be learned from.
    """
    return target_sets_of(train, task) if task.says == "labels" else target_of(train, task)


def target_sets_of(train: pl.DataFrame, task: Task) -> TargetSets:
    """The sets of labels of training rows, and how much each row counts where the rows have the column `WEIGHT`.

    Raises:
        DataError: There are fewer than `FEWEST_ROWS` rows, all have the same labels, some none that is known (null), or
            one that the task does not know.
    """
    column = task.answer
    assert column is not None, "a task without labels has none to learn"
    enough(train, column, "some dozens for each label")
    values = train[column].cast(pl.List(pl.String))
    labels = known_labels(values.explode(), task, column)
    if values.has_nulls():
        raise DataError(
            f"of {things(values.null_count(), 'training row')} nobody said which labels they have", at=column
        )
    held = held_by(values, labels)
    if (held == held[0]).all():
        told = ", ".join(map(repr, np.array(labels, dtype=object)[held[0]])) or "none"
        raise DataError(
            f"all training rows have the same labels ({told}); there is nothing to tell apart",
            at=column,
            hint="check the label column, and the steps that reject rows",
        )
    return TargetSets(labels=labels, held=held, weights=weights_of(train), taught=shares_of(train))


def held_by(values: pl.Series, labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which of some labels each row has, shape (rows, labels); others are passed over.

    Args:
        values: The label of each row, or a list of them.
        labels: The labels in order.
    """
    lists = values if isinstance(values.dtype, pl.List) else values.cast(pl.String).reshape((-1, 1)).arr.to_list()
    each = pl.DataFrame({"row": range(len(values)), "label": lists}).explode("label")
    known = each.join(pl.DataFrame({"label": list(labels), "code": range(len(labels))}), on="label")
    held = np.zeros((len(values), len(labels)), dtype=np.bool_)
    held[known["row"].to_numpy(), known["code"].to_numpy()] = True
    return held


def known_of(rows: pl.DataFrame, task: Task, labels: tuple[str, ...]) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """Rows whose labels a model can know, and which labels each has, shape (rows, labels).

    Args:
        rows: Such as the validation rows, which may have labels that training rows lack.
        task: What they are for.
        labels: Those that the model knows.
    """
    assert task.answer is not None
    held = held_by(rows[task.answer], labels)
    known = rows[task.answer].is_not_null().to_numpy() if task.says == "labels" else held.any(axis=1)
    return rows.filter(pl.Series(known)), held[known]
