"""`prepare` on rows in memory: in a fold, on a part of the training rows, under a naive split.

It learns and makes anew from the training rows that it is given, so that rows which judge there are never looked at.
What comes out is what the whole run's `prepare` gives for the same rows, as far as anybody looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from seedbed.core import digest
from seedbed.core.errors import DataError, told_as
from seedbed.core.numbers import things
from seedbed.core.part import labels_of
from seedbed.core.rows import NUMBER, PARENTS, ROW
from seedbed.core.step import Fitted, Make, Step
from seedbed.engine.kernel import Kernel
from seedbed.engine.learned import on_others, on_training
from seedbed.engine.making import HeldOut, Making
from seedbed.engine.preparing import plain
from seedbed.flow.splitting.split import Similarity

#: Place of made rows among files: after those of any run.
_FILES = 1 << 20


@dataclass(frozen=True)
class Preparation:
    """Steps after the split."""

    steps: tuple[Step, ...]
    similarity: Similarity
    seed: int
    skipped: frozenset[int] = frozenset()
    """Places of steps that are not done: left out, or nobody looks at what they write."""
    needs: frozenset[str] | None = None
    """Columns that are looked at, by the other steps or after them; none: any may be."""
    _held_out: dict[str, HeldOut] = field(default_factory=dict, compare=False, repr=False)
    """The rows that made ones were last compared with: they are the same for each part of the training rows."""

    def columns(self, there: Sequence[str]) -> list[str]:
        """Columns to hold, of those that are there."""
        return [name for name in there if self.needs is None or name in self.needs or name in (NUMBER, ROW)]

    def __call__(
        self, train: pl.DataFrame, others: Mapping[str, pl.DataFrame], *, careful: bool = True
    ) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
        """Training rows and others, after the steps.

        Args:
            train: The rows to learn from, the columns that are needed, sorted by `NUMBER`.
            others: Rows that judge, by name.
            careful: Whether made rows that are near to one that judges are left out.

        Raises:
            DataError: A step cannot learn from these rows, or leaves none.
        """
        found = dict(others)
        for place, (name, step) in enumerate(zip(labels_of(list(self.steps)), self.steps, strict=True)):
            if place in self.skipped:
                continue
            if isinstance(step, Fitted):
                train, found = self._fit(name, step, train, found)
            elif isinstance(step, Make):
                train = self._make(name, step, _FILES + place, train, found if careful else {})
        return train, found

    def _fit(
        self, name: str, step: Fitted, train: pl.DataFrame, others: Mapping[str, pl.DataFrame]
    ) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
        with told_as(DataError, name):
            state = json.loads(plain(step.fit(train.lazy(), self.seed), name))
        drops = step.drops(state)
        after = Kernel(tuple((name, one) for one in on_training(step, state)))(train).kept
        if not after.height:
            raise DataError(f"{name} leaves none of {things(train.height, 'training row')}", at=name)
        applied = Kernel(tuple((name, one) for one in on_others(step, state)))
        found = {split: applied(rows).kept.drop(drops, strict=False) for split, rows in others.items()}
        return after.drop(drops, strict=False), found

    def _make(
        self, name: str, step: Make, file: int, train: pl.DataFrame, others: Mapping[str, pl.DataFrame]
    ) -> pl.DataFrame:
        held_out = self._comparable(others) if others else None
        making = Making(step, name, file, self.seed, None, held_out)
        return pl.concat([train, *(some.kept.drop(PARENTS) for some in making(train.lazy()))])

    def _comparable(self, others: Mapping[str, pl.DataFrame]) -> HeldOut:
        """Rows that judge, ready to be compared with made ones."""
        similarity = self.similarity.within(next(iter(others.values())).columns)
        rows = pl.concat([rows.select(ROW, *similarity.columns) for rows in others.values()])
        told = digest.RowsDigest()
        told.update(rows)
        key = told.hexdigest()
        if key not in self._held_out:
            self._held_out.clear()
            self._held_out[key] = similarity.held_out(rows)
        return self._held_out[key]
