"""Rows that are to be split: what of them says where they belong, and the independent check of where they went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, RECORD_BITS, ROW, data_columns
from seedbed.core.similarity.shingles import normalise
from seedbed.core.splitter import ByValue, InTurn, Splitter
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.core.values import said
from seedbed.splits.clusters import cluster
from seedbed.splits.verify import Verification, verify

from .made import Made
from .split import Near, Similarity, near_pairs

_SOURCE = "the source"


@dataclass(frozen=True)
class Belonging:
    """Rows that are to be split."""

    table: Table
    splitter: Splitter
    task: Task
    similarity: Similarity
    context: Context
    made: Made | None = None

    @cached_property
    def rows(self) -> pl.DataFrame:
        """What is in memory of all of them: their numbers, labels and groups, and what they say of their split."""
        label = [self.label] if self.label else []
        group = [self.splitter.group] if self.splitter.group else []
        age = [self.splitter.age] if isinstance(self.splitter, InTurn) and self.splitter.age else []
        says = [self.splitter.says] if isinstance(self.splitter, ByValue) and self.splitter.says else []
        columns = list(dict.fromkeys([NUMBER, *label, *self.also, *group, *age, *says]))
        if not isinstance(self.splitter, ByValue) or says:
            return pl.concat(list(self.table.batches(columns)))
        source = pl.col(ROW).str.extract("^([^:]*):").cast(pl.Categorical).alias(_SOURCE)
        return pl.concat([rows.with_columns(source).drop(ROW) for rows in self.table.batches([*columns, ROW])])

    @property
    def label(self) -> str | None:
        """The column whose shares are kept alike."""
        answers = ("label", "labels", "number")
        return self.splitter.label or (self.task.answer if self.task.says in answers else None)

    @property
    def also(self) -> tuple[str, ...]:
        """Columns that the task compares and the recipe does not: equal ones belong together all the same."""
        compared = self.task.compared(data_columns(self.table.schema))
        return () if self.task.alike_if_equal else tuple(one for one in compared if one not in self.similarity.columns)

    @cached_property
    def numbers(self) -> NDArray[np.uint64]:
        """`NUMBER` of each row."""
        return self.rows[NUMBER].to_numpy()

    @cached_property
    def parents(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]] | None:
        """Made rows and what they were made from."""
        return self.made.pairs(self.numbers, self.table) if self.made and self.made.parents else None

    @property
    def only_train(self) -> NDArray[np.bool_] | None:
        """Whether each row may judge nothing."""
        return self.made.only_train(self.numbers) if self.made else None

    @property
    def strata(self) -> NDArray[np.int64]:
        """What shares are kept alike of: labels, tenths of a number's rows, or nothing, coded, shape (rows,); or
        whether each row has each of several labels, shape (rows, labels)."""
        if self.label is None:
            return np.zeros(len(self.numbers), dtype=np.int64)
        values = self.rows[self.label]
        if isinstance(values.dtype, pl.List):
            return _several(values)
        if self.task.says == "number" and self.label == self.task.answer:
            return _tenths(values)
        return values.cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()

    @property
    def groups(self) -> list[pl.Series]:
        """Columns whose equal values belong together."""
        named = [self.rows[self.splitter.group]] if self.splitter.group else []
        if self.splitter.whole_files:
            named.append(pl.Series("file", self.numbers >> np.uint64(RECORD_BITS)))
        return [*named, *(normalise(said(self.rows[text])) for text in self.also)]

    def says(self, splitter: ByValue) -> pl.Series:
        """What each row says of its split."""
        return self.rows[splitter.says or _SOURCE]

    def near(self, key: str, *, every: bool = False) -> Near:
        """Pairs of rows that are similar."""
        return near_pairs(self.table, self.similarity, self.context, key, every=every)

    def check(self, places: NDArray[np.int8], made: int) -> Verification:
        """The independent check of the rows that are in a split."""
        kept = places >= 0
        numbers = self.numbers[kept]
        sweeps = iter(("taking the sample's texts", "comparing"))

        def texts() -> Iterator[tuple[NDArray[np.uint64], list[str | None]]]:
            doing = next(sweeps, "comparing")
            # The sweep that only finds the sample weighs little: rows count as they are compared, and so does the time.
            found = doing != "comparing"
            for batch in self.table.batches([NUMBER, *self.similarity.columns]):
                here = batch.filter(pl.Series(kept[np.searchsorted(self.numbers, batch[NUMBER].to_numpy())]))
                yield here[NUMBER].to_numpy(), self.similarity.texts(here).to_list()
                stage.advance(0 if found else batch.height, doing, found=found)

        title = "Verifying the split independently" + (f", round {made}" if made > 1 else "")
        with self.context.stage(title, len(self.numbers), "rows") as stage:
            return verify(
                texts,
                numbers,
                places[kept],
                kind=self.similarity.kind,
                threshold=self.similarity.threshold,
                seed=self.splitter.seed + made - 1,
            )

    def clusters(self, key: str) -> NDArray[np.int64]:
        """The cluster of each row."""
        near = self.near(key)
        return cluster(self.numbers, pairs=(near.left, near.right), groups=self.groups, parents=self.parents).ids


def _tenths(values: pl.Series) -> NDArray[np.int64]:
    """The tenth of the rows that each number is in, by its rank; equal numbers are in one."""
    ranks = values.rank("average").fill_null(0).to_numpy()
    return np.minimum((ranks * 10 / max(len(values), 1)).astype(np.int64), 9)


def _several(values: pl.Series) -> NDArray[np.int64]:
    """Whether each row has each label, shape (rows, labels), as 0 and 1; labels in alphabetical order."""
    held = pl.DataFrame({"row": np.arange(len(values)), "label": values.cast(pl.List(pl.String))})
    held = held.explode("label").drop_nulls("label")
    codes = held["label"].rank("dense").cast(pl.Int64).to_numpy() - 1
    found = np.zeros((len(values), int(codes.max(initial=-1)) + 1), dtype=np.int8)
    found[held["row"].to_numpy(), codes] = 1
    return found  # type: ignore[return-value]
