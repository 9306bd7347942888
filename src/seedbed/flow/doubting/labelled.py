"""Rows with answers that are to be doubted, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.check import SPLIT
from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.rows import NUMBER, ROW, as_json, data_columns
from seedbed.core.similarity import Kind
from seedbed.core.splitter import Splitter
from seedbed.core.table import Table
from seedbed.core.task import Task, answers_said
from seedbed.core.values import said
from seedbed.flow.splitting.dataset import Dataset
from seedbed.flow.splitting.split import Similarity, Split, near_pairs, similarity_of
from seedbed.splits.clusters import cluster

TEST = "test"
#: Numbers are spread evenly over folds by so many parts of their range.
_PARTS = 10
#: What the one column of an answer is called that is a number.
ONE_NUMBER = "number"


@dataclass(frozen=True)
class Labelled:
    """Rows of all splits."""

    frame: pl.DataFrame
    """`ROW`, `SPLIT`, the task's columns, and the columns that are compared."""
    clusters: NDArray[np.int64]
    """Cluster of each row: rows of one belong together, shape (rows,)."""
    doubted: NDArray[np.bool_]
    """Whether each row's answer is doubted; rows that only train teach, and are not."""
    task: Task
    compared: str
    """Column by which texts are similar; empty where whole rows are."""
    kind: Kind
    threshold: float
    columns: tuple[str, ...] = ()
    """Columns by which rows are equal, where they have no text."""

    @classmethod
    def of_split(cls, table: Table, split: Split, task: Task) -> Labelled:
        """The rows of a run that is going on, as they are before anything is prepared for training."""
        similarity = split.similarity
        columns = columns_of(task, similarity, data_columns(table.schema))
        rows = pl.concat(list(table.batches([NUMBER, ROW, *columns])))
        names = pl.Series(SPLIT, list(split.names))[split.of(rows).cast(pl.UInt32)]
        at = np.searchsorted(split.numbers, rows[NUMBER].to_numpy())
        doubted = np.ones(rows.height, np.bool_) if split.only_train is None else ~split.only_train[at]
        return cls.of(rows.drop(NUMBER).with_columns(names.alias(SPLIT)), split.clusters[at], doubted, task, similarity)

    @classmethod
    def of_table(cls, table: Table, splitter: Splitter, task: Task, context: Context, key: str) -> Labelled:
        """Rows that nobody splits, such as those of a file: all are doubted, by one another."""
        similarity = similarity_of(splitter, table, task)
        group = [splitter.group] if splitter.group else []
        columns = columns_of(task, similarity, data_columns(table.schema))
        rows = pl.concat(list(table.batches(list(dict.fromkeys([NUMBER, ROW, *columns, *group])))))
        near = near_pairs(table, similarity, context, key)
        numbers = rows[NUMBER].to_numpy()
        clusters = cluster(numbers, pairs=(near.left, near.right), groups=[rows[name] for name in group]).ids
        frame = rows.drop(NUMBER).with_columns(pl.lit("train").alias(SPLIT))
        return cls.of(frame, clusters, np.ones(rows.height, np.bool_), task, similarity)

    @classmethod
    def of(
        cls,
        frame: pl.DataFrame,
        clusters: NDArray[np.int64],
        doubted: NDArray[np.bool_],
        task: Task,
        similarity: Similarity,
    ) -> Labelled:
        """Rows that are alike as a split says it."""
        columns = similarity.columns if similarity.kind == "rows" else ()
        return cls(frame, clusters, doubted, task, similarity.column, similarity.kind, similarity.threshold, columns)

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's; of numbers, what the one column of a prediction is called."""
        return (ONE_NUMBER,) if self.task.says == "number" else self.task.names

    @property
    def answer(self) -> str:
        """The column that is doubted.

        Raises:
            DataError: The task has none.
        """
        if self.task.answer is None:
            raise DataError(f"{self.task.kind} has no labels that could be doubted", at="task")
        return self.task.answer

    @cached_property
    def answers(self) -> pl.Series:
        """Each row's answer as text, as a decision says it."""
        return answers_said(self.task, self.frame[self.answer])

    @cached_property
    def given(self) -> NDArray[np.int64]:
        """The label of each row, as an index into `labels`; of other answers a code, equal for equal ones."""
        if self.task.says != "label":
            return self.answers.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        codes = {label: code for code, label in enumerate(self.labels)}
        return self.frame[self.answer].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64).to_numpy()

    @cached_property
    def sets(self) -> NDArray[np.bool_]:
        """Which labels each row carries, shape (rows, labels)."""
        held = self.frame[self.answer].list
        return np.column_stack([held.contains(label).fill_null(False).to_numpy() for label in self.labels])

    def strata(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """What folds of some rows (places) hold evenly: labels, of sets the rarest, of numbers ten parts of the rows.

        Nothing hangs on other rows than these.
        """
        if self.task.says == "label":
            return self.given[rows]
        if self.task.says == "labels":
            sets = self.sets[rows]
            carried = np.where(sets, sets.sum(axis=0), len(sets) + 1)
            return np.where(sets.any(axis=1), carried.argmin(axis=1), len(self.labels)).astype(np.int64)
        ranks = self.frame[self.answer][rows].rank("average").fill_null(0).to_numpy()
        return np.minimum((ranks * _PARTS / max(len(ranks), 1)).astype(np.int64), _PARTS - 1)

    @property
    def texts(self) -> pl.Series:
        """What of each row is compared, as text."""
        if self.columns:
            return as_json(self.frame.select(self.columns))
        return said(self.frame[self.compared]).fill_null("")

    @cached_property
    def held_out(self) -> NDArray[np.bool_]:
        """Whether each row is a test row: nothing is learned from those, and they are doubted apart."""
        return (self.frame[SPLIT] == TEST).to_numpy()

    @property
    def seen(self) -> pl.DataFrame:
        """What learners and models see."""
        if not self.task.alike_if_equal:
            return self.frame.select(list(dict.fromkeys([ROW, *self.task.roles.values()])))
        features = self.task.compared([name for name in self.frame.columns if name not in (ROW, SPLIT)])
        return self.frame.select(list(dict.fromkeys([ROW, *features, self.answer])))


def columns_of(task: Task, similarity: Similarity, known: Sequence[str]) -> list[str]:
    """The columns of rows that are to be doubted, of those that there are."""
    features = task.compared(known) if task.alike_if_equal else ()
    return list(dict.fromkeys([*task.roles.values(), *features, *similarity.columns]))


def read(dataset: Dataset, splits: tuple[str, ...], columns: list[str]) -> pl.DataFrame:
    """Columns of the rows of some splits, with `SPLIT`."""
    return dataset.scan_all(splits).select(list(dict.fromkeys([ROW, *columns, SPLIT]))).collect()
