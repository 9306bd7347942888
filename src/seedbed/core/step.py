"""The shapes a step can have. A step says what it does; the engine does the counting.

* `Map` rewrites columns and keeps every row.
* `Filter` keeps some rows, one batch at a time.
* `Rework` is both: it rejects some rows and rewrites columns of the others.
* `Reduce` looks at the whole table and writes verdicts.
* `Fitted` learns from training rows, then rewrites columns everywhere (or drops training rows).
* `Make` returns new training rows with their parents.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import polars as pl

from .context import Context
from .part import Part
from .rows import NUMBER
from .source import Scan, Source

#: A verdict names a row by `NUMBER`, gives a `reason`, and may carry any columns of evidence.
VERDICT_SCHEMA: Mapping[str, Any] = {NUMBER: pl.UInt64, "reason": pl.String}
#: Rows by the unit of work that looks at them; a row may be in several.
UNIT = "unit"
UNITS: Mapping[str, Any] = {NUMBER: pl.UInt64, UNIT: pl.UInt32}


@dataclass(frozen=True)
class Second:
    """A source that a step reads besides the rows: it stands in the lock, the lineage and the licences like others."""

    source: Source
    scan: Scan
    rows: int
    """Records read, malformed ones included."""
    malformed: int
    usable: int
    """Rows that rows of the run may meet, numbered from 0 in `met` of `Rework.work`."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """A file beside the recipe that a step read, and that holds no rows."""

    name: str
    """As the step's options name it."""
    bytes: int
    sha256: str


class Step(Part):
    """A change to a table of rows."""

    family: ClassVar[str] = "steps"
    runs_code: ClassVar[bool] = False
    """Whether it runs code that comes with the recipe: who opens a bundle must trust it first."""
    by_name: ClassVar[bool] = False
    """For parts of `prepare`: whether options name every column that it reads, and which of the columns that are there
    it writes hangs on the options alone. Others need not be held for it, and it is passed over where nobody looks."""
    draws: ClassVar[bool] = False
    """Whether the rows that it leaves out are drawn by chance, which says nothing about any of them."""
    stands: ClassVar[str] = ""
    """Why a person who reviews cannot lift its rejections, and what to do instead; empty where they can be lifted."""

    def code(self) -> Mapping[str, str]:
        """The code that it runs, by the path of each file as its options name it: a bundle takes it along."""
        return {}

    def second(self) -> Second | None:
        """The second source that it reads, if it does."""
        return None

    def seconds(self) -> Sequence[Second]:
        """All sources that it reads besides the rows: the second one, unless a step reads several."""
        second = self.second()
        return [] if second is None else [second]

    def beside(self) -> Sequence[Beside]:
        """Files that it read besides sources and that the rows depend on: the lock and the lineage name them."""
        return ()

    def brings(self) -> Sequence[str]:
        """Columns that it makes and that must not be there before."""
        return ()


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


class Rework(Filter, Map):
    """Rejects some rows and rewrites columns of the others, after one piece of work that both need.

    A part writes `work` and `written` (and names its evidence in `told`). What a `Filter` and a `Map` must say follows
    from that, so whoever knows these two knows this one. The engine does the work once a batch and hands the methods
    the column where it lies; without it they do it again.
    """

    told: ClassVar[tuple[str, ...]] = ()
    """Names of the evidence: fields of `evidence`."""
    signs: ClassVar[bool] = False
    """Whether each change stands in the ledger, with its evidence: somebody answers for it."""
    conceals: ClassVar[bool] = False
    """Whether the ledger must not show what was there before: of rows that go, too, it shows what `columns` writes."""

    @abstractmethod
    def work(self) -> pl.Expr:
        """A struct for each row.

        * `reason`: why the row is rejected; null where it stays.
        * `evidence`: a struct of facts for the ledger, if `told` names any.
        * `columns`: a struct of the columns `written` with their new values; in a row that goes, those that it gets if
          a person rescues it (whatever they are where the step `stands`). May be left out if nothing is written.
        * `met`: number of the row of the step's `second` source that it met, if it has one; null for none. A step
          without one may number what else it met, for its `remarks`.
        * `lifts`: of a row that a person rescued, a struct of `use` (a later `Filter` or `Reduce` of that name does not
          reject the row) and `evidence` (a JSON object for the ledger); null for others. May be left out.
        """

    @abstractmethod
    def written(self) -> Sequence[str]:
        """Names of the columns that are written, new ones included."""

    def met_at(self, number: int) -> tuple[str, int] | None:
        """File and record of the row of its `second` source that `work` numbers so; none where that is not known."""
        return None

    def remarks(self, met: Callable[[], pl.Series]) -> Sequence[str]:
        """What a careful reader of the run should know, a sentence each, when all rows have passed.

        Args:
            met: Gives all that rows met, each number once.
        """
        return ()

    def keep(self, done: pl.Expr | None = None) -> pl.Expr:
        """Rows without a reason to go. `done` is where `work` lies, here and below."""
        return self._work(done).struct.field("reason").is_null()

    def reason(self, done: pl.Expr | None = None) -> pl.Expr:
        """As `work` says."""
        return self._work(done).struct.field("reason")

    def evidence(self, done: pl.Expr | None = None) -> Mapping[str, pl.Expr]:
        """As `work` says."""
        return {name: self._work(done).struct.field("evidence").struct.field(name) for name in self.told}

    def columns(self, done: pl.Expr | None = None) -> Sequence[pl.Expr]:
        """As `work` says; meant for rows that stay."""
        columns = self._work(done).struct.field("columns")
        return [columns.struct.field(name).alias(name) for name in self.written()]

    def _work(self, done: pl.Expr | None) -> pl.Expr:
        return self.work() if done is None else done


class Groups(Protocol):
    """What a `Reduce` may ask the engine for. Local files or a cluster stand behind it; a part cannot tell which."""

    @property
    def survey(self) -> Mapping[str, int]:
        """Sums of `Reduce.survey` over all rows."""

    @property
    def context(self) -> Context:
        """Seed, store and progress of the run."""

    def partitions(self) -> Iterator[pl.DataFrame]:
        """The keys in pieces that fit in memory; rows with equal `key` are always in one piece. May be read again."""

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """`NUMBER`, `ROW` and the columns of some rows as the last pass left them, sorted by `NUMBER`."""

    def over(
        self, work: Callable[[pl.DataFrame], pl.DataFrame], units: pl.DataFrame, columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        """What work makes of the rows of each unit, done by the workers; in the order of the units.

        Args:
            work: Given `NUMBER` and the columns of a unit's rows, sorted by `NUMBER`; it pickles.
            units: `NUMBER` and `UNIT`, sorted. The rows of one unit are in memory together.
            columns: What the work needs.
        """


class Reduce(Step):
    """Looks at the whole table; writes verdicts on rows, which the next pass applies."""

    removes_copies: ClassVar[bool] = False
    """Whether what it rejects are copies of rows that stay; the report shows what leaving them in would claim."""

    @abstractmethod
    def reads(self) -> Sequence[str]:
        """Columns that `survey` and `keys` need."""

    def check_schema(self, schema: pl.Schema) -> None:
        """Refuse columns that are there but do not fit, before anything runs.

        Raises:
            RecipeError: With the option as `at`.
        """

    def survey(self) -> Mapping[str, pl.Expr]:
        """Numbers to sum over all rows before keys are made."""
        return {}

    def heeds(self, survey: Mapping[str, int]) -> Any:
        """All that `keys` takes into account of the sums, as JSON: where it is the same, keys are not made again."""
        return dict(survey)

    @abstractmethod
    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """Small columns of a batch, stored on disk: `NUMBER`, `key` (rows of one key are seen together), others."""

    @abstractmethod
    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """Verdicts (`VERDICT_SCHEMA` and evidence columns) on the rows to reject; each row at most once."""


class Fitted(Step):
    """Learns from training rows only, then rewrites columns everywhere, or drops training rows.

    What it writes and drops must depend on the rows, the options and the seed alone: not on threads, batches or files.
    """

    weighs: ClassVar[bool] = False
    """Whether it writes `WEIGHT`, how much each training row counts, which learners heed that can."""

    @abstractmethod
    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """What was learned, as plain data: it is stored as JSON, and read from it before it is used.

        Args:
            train: The training rows, in order, with `ROW`, `NUMBER` and all columns.
            seed: The recipe's.

        Raises:
            DataError: Nothing can be learned from these rows.
        """

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """As `Map.columns`, given what was learned."""
        return []

    def train_columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """The same columns, of the same types, for training rows where theirs must be another value."""
        return self.columns(state)

    def keep(self, state: dict[str, Any]) -> pl.Expr | None:
        """As `Filter.keep`, given what was learned; of rows as `fit` saw them. It drops training rows only."""
        return None

    def reason(self, state: dict[str, Any]) -> pl.Expr:
        """As `Filter.reason`."""
        return pl.lit(self.use)

    def evidence(self, state: dict[str, Any]) -> Mapping[str, pl.Expr]:
        """As `Filter.evidence`."""
        return {}

    def drops(self, state: dict[str, Any]) -> Sequence[str]:
        """Columns that go, in every split; never the task's own."""
        return ()

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """What was learned, in sentences for the report."""
        return ()

    def papers(self, state: dict[str, Any]) -> Mapping[str, str]:
        """Small text files for the run's folder, by name: `prepare/PART/NAME`."""
        return {}


class Make(Step):
    """Makes new rows for training."""

    @abstractmethod
    def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
        """New rows, in an order that depends on the rows, the options and the seed alone.

        They have the columns of the training rows, and `PARENTS`: the `ROW` names that each was made from, at least
        one. The engine names and numbers them; `ROW` and `NUMBER` may be there and are not looked at.

        Args:
            train: The training rows, in order, with `ROW`, `NUMBER` and all columns.
            seed: The recipe's.
        """
