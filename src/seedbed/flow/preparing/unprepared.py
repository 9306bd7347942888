"""Rows as they were split, before `prepare`: what learns from fewer of them, or under another split, starts here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from seedbed.core.part import labels_of
from seedbed.core.rows import WEIGHT, data_columns
from seedbed.core.step import Fitted, Make, Step
from seedbed.core.task import Task
from seedbed.engine.curate import Curated
from seedbed.flow.splitting.split import Split

from .bearing import bearing
from .in_memory import Preparation


@dataclass(frozen=True)
class Unprepared:
    """Steps, and the rows and splits that they were given."""

    steps: tuple[Step, ...]
    curated: Curated
    split: Split
    written: tuple[frozenset[str] | None, ...] = ()
    """Columns that each step wrote in the run (`bearing.written_by`)."""

    @property
    def made_before(self) -> bool:
        """Whether rows that only train were there before `prepare`: a source made them."""
        return self.split.only_train is not None and bool(self.split.only_train.any())

    def only_train(self, numbers: pl.Series) -> pl.Series:
        """Whether each of some rows may judge nothing."""
        if self.split.only_train is None:
            return pl.Series([False], dtype=pl.Boolean).new_from_index(0, numbers.len())
        return pl.Series(self.split.only_train[np.searchsorted(self.split.numbers, numbers.to_numpy())])

    def read(self, splits: Sequence[str], preparation: Preparation) -> dict[str, pl.DataFrame]:
        """Rows of some splits, in order: the columns that a preparation needs."""
        found: dict[str, list[pl.DataFrame]] = {name: [] for name in splits}
        columns = preparation.columns(self.curated.table.schema.names())
        for batch in self.curated.table.batches(columns):
            places = self.split.of(batch)
            for name, some in found.items():
                some.append(batch.filter(places == self.split.names.index(name)))
        return {name: pl.concat(some) for name, some in found.items()}

    def preparation(
        self,
        seed: int,
        task: Task,
        *,
        make: bool = True,
        fit: bool = True,
        without: int | None = None,
    ) -> Preparation:
        """The steps, for rows in memory; those that nobody would see the work of are passed over.

        Args:
            seed: The recipe's.
            task: Whose columns are looked at afterwards.
            make: Whether steps that make rows are done.
            fit: Whether steps that learn are done.
            without: Place of a step that is left out.
        """
        kinds = (*(() if make else (Make,)), *(() if fit else (Fitted,)))
        out = {place for place, step in enumerate(self.steps) if isinstance(step, kinds) or place == without}
        written = self.written or (None,) * len(self.steps)
        brought = [name for each in self.written for name in each or ()]
        columns = [name for name in (*data_columns(self.curated.table.schema), *brought) if name != WEIGHT]
        wanted = {*task.roles.values(), *task.seen(columns), WEIGHT, *self.split.similarity.columns}
        done, needs = bearing(self.steps, written, wanted, out)
        skipped = frozenset(range(len(self.steps))) - done
        return Preparation(self.steps, self.split.similarity, seed, skipped, needs)

    def needed_by(self, place: int) -> str:
        """Which later step names a column that only this one brings, in words; empty where none does."""
        return next(self._in_need(place), "")

    def _in_need(self, place: int) -> Iterator[str]:
        if not self.written:
            return
        own = (self.written[place] or frozenset()) - set(data_columns(self.curated.table.schema))
        names = labels_of(list(self.steps))
        for later in range(place + 1, len(self.steps)):
            for _, column in self.steps[later].columns_used():
                if column in own:
                    yield f"{names[later]} needs its column {column!r}"
