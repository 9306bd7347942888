"""The shapes a step can have. A step says what it does; the engine does the counting.

* `Map` rewrites columns and keeps every row.
* `Filter` keeps some rows, one batch at a time.
* `Reduce` looks at the whole table and writes verdicts.
* `Fitted` learns from training rows, then rewrites columns everywhere (or drops training rows).
* `Make` returns new training rows with their parents.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import polars as pl

from .part import Part
from .rows import NUMBER

#: A verdict names a row by `NUMBER`, gives a `reason`, and may carry any columns of evidence.
VERDICT_SCHEMA: Mapping[str, Any] = {NUMBER: pl.UInt64, "reason": pl.String}


class Step(Part):
    """A change to a table of rows."""

    family: ClassVar[str] = "steps"


class Map(Step):
    """Rewrites columns; every row stays."""

    @abstractmethod
    def columns(self) -> Sequence[pl.Expr]:
        """Expressions over one batch, each as long as the batch and named after the column that it writes."""


class Filter(Step):
    """Keeps some rows; the others go to the ledger with a reason."""

    @abstractmethod
    def keep(self) -> pl.Expr:
        """True for rows that stay. Null counts as "cannot tell": the row is rejected with that reason."""

    def reason(self) -> pl.Expr:
        """Why a row that was not kept was rejected; the part's name unless a part knows better."""
        return pl.lit(self.use)

    def evidence(self) -> Mapping[str, pl.Expr]:
        """Facts for the ledger about a row that was not kept."""
        return {}


class Groups(Protocol):
    """What a `Reduce` may ask the engine for. Local files or a cluster stand behind it; a part cannot tell which."""

    @property
    def survey(self) -> Mapping[str, int]:
        """Sums of `Reduce.survey` over all rows."""

    def partitions(self) -> Iterator[pl.DataFrame]:
        """The keys in pieces that fit in memory; rows with equal `key` are always in one piece. May be read again."""

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """`NUMBER`, `ROW` and the columns of some rows as the last pass left them, sorted by `NUMBER`."""


class Reduce(Step):
    """Looks at the whole table; writes verdicts on rows, which the next pass applies."""

    removes_copies: ClassVar[bool] = False
    """Whether what it rejects are copies of rows that stay; the report shows what leaving them in would claim."""

    @abstractmethod
    def reads(self) -> Sequence[str]:
        """Columns that `survey` and `keys` need."""

    def survey(self) -> Mapping[str, pl.Expr]:
        """Numbers to sum over all rows before keys are made."""
        return {}

    @abstractmethod
    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """Small columns of a batch, stored on disk: `NUMBER`, `key` (rows of one key are seen together), others."""

    @abstractmethod
    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """Verdicts (`VERDICT_SCHEMA` and evidence columns) on the rows to reject; each row at most once."""


class Fitted(Step):
    """Learns from training rows only, then rewrites columns everywhere."""

    @abstractmethod
    def fit(self, train: pl.LazyFrame) -> dict[str, Any]:
        """What was learned, as plain data (it is stored as JSON)."""

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """As `Map.columns`, given what was learned."""
        return []

    def keep(self, state: dict[str, Any]) -> pl.Expr | None:
        """As `Filter.keep`, given what was learned; drops training rows only."""
        return None


class Make(Step):
    """Makes new rows for training."""

    @abstractmethod
    def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
        """New rows with the training rows' columns and `parents`, the `ROW` names that each was made from."""
