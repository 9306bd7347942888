"""Row-wise steps over one batch, with the books kept: the one place where rows are changed, kept and rejected.

It knows nothing of files, workers or passes, so that whatever has a batch can use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
import xxhash

from seedbed.core.errors import BooksError, DataError, told_as
from seedbed.core.ledger import STORED_LEDGER_SCHEMA
from seedbed.core.rows import NUMBER, ROW, as_json, data_columns
from seedbed.core.step import Filter, Map, Rework
from seedbed.core.task import AnyTask
from seedbed.core.task.following import Following

from .entries import as_text, entries_of, excerpt, excerpts_of, extent, fit_to_show, merged, rescued, whole_rows
from .sparing import Spared

#: Where the work of a `Rework` lies while its batch is here; no source can name a column so.
WORK = "\x00work"
#: One in so many changed rows is written to the ledger unless the recipe asks for all.
CHANGE_SAMPLE = 100


class Usable(Rework):
    """Brings the task's columns into its form and keeps the rows that it can use. The engine puts it last."""

    use: str = ""
    task: AnyTask

    def work(self) -> pl.Expr:
        """As the task says."""
        return self.task.work()

    def written(self) -> Sequence[str]:
        """Columns that have a form of the task's own."""
        return self.task.written

    def evidence(self, done: pl.Expr | None = None) -> Mapping[str, pl.Expr]:
        """What the task tells of rows that it cannot use."""
        facts = self._work(done).struct
        return {name: facts.field("evidence").struct.field(name) for name in self.task.told}

    def columns(self, done: pl.Expr | None = None) -> Sequence[pl.Expr]:
        """The columns in the task's form."""
        return super().columns(done) if self.task.written else []


@dataclass(frozen=True)
class Outcome:
    """What a kernel did to a batch."""

    kept: pl.DataFrame
    entries: pl.DataFrame
    """Ledger entries (`STORED_LEDGER_SCHEMA`)."""
    rows_out: dict[str, int]
    """Rows after each part."""
    changed: dict[str, int]
    """Rows changed by each part."""
    met: dict[str, pl.Series]
    """Rows of a part's second source that rows met, each once, for parts that have one."""


@dataclass(frozen=True)
class Kernel:
    """Row-wise steps, ready to be applied to batches. It pickles."""

    steps: tuple[tuple[str, Map | Filter], ...]
    """Each with its name in the ledger."""
    shown: str | None = None
    """Column whose excerpt stands in the ledger where a part names none."""
    changes: Literal["sample", "all"] = "sample"
    following: Following | None = None
    """Takes along what points into a text, wherever a step changes the text."""

    def __call__(self, batch: pl.DataFrame, spared: Spared | None = None) -> Outcome:
        """Apply the steps in order. `spared` is heeded, and told what steps say of the batch."""
        spared = spared or Spared()
        entries: list[pl.DataFrame] = []
        rows_out, changed = {}, {}
        met: dict[str, pl.Series] = {}
        for name, step in self.steps:
            with told_as(DataError, name, about=extent(batch)):
                if isinstance(step, Rework):
                    batch, changed[name], told = self._rework(name, step, batch, met, spared)
                elif isinstance(step, Map):
                    batch, changed[name], told = self._map(name, step.columns(), batch)
                else:
                    batch, told = self._filter(name, step, batch, spared)
            entries.append(told)
            rows_out[name] = batch.height
        ledger = pl.concat(entries) if entries else pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
        return Outcome(batch, ledger, rows_out, changed, met)

    def _rework(
        self, name: str, step: Rework, batch: pl.DataFrame, met: dict[str, pl.Series], spared: Spared
    ) -> tuple[pl.DataFrame, int, pl.DataFrame]:
        work = batch.select(step.work().alias(WORK)).to_series()
        if work.len() != batch.height:
            raise BooksError(f"the work on {batch.height} rows gave {work.len()}", at=name)
        if "met" in work.struct.fields:
            met[name] = work.struct.field("met").drop_nulls().unique()
        if "lifts" in work.struct.fields:
            spared.add(name, batch[NUMBER], work.struct.field("lifts"))
        done, rows = pl.col(WORK), batch.with_columns(work)
        verdict, saved = self._lifted(name, rows, step.keep(done), step.reason(done), spared)
        kept, gone = self._sorted_out(name, rows, verdict, step.reason(done), step.evidence(done), _about(step))
        if step.conceals:
            gone, saved = (self._concealed(step, rows, told) for told in (gone, saved))
        told_of = ("after",) if step.conceals else ("before", "after")
        after, changed, told = self._map(name, step.columns(done), kept, every=step.signs, told_of=told_of)
        if step.signs and told.height:
            signed = kept.filter(pl.col(NUMBER).is_in(told[NUMBER].to_list())).select(**step.evidence(done))
            facts = as_json(pl.DataFrame([fit_to_show(fact).alias(fact.name) for fact in signed]))
            evidence = [merged(a, b) for a, b in zip(told["evidence"], facts, strict=True)]
            told = told.with_columns(evidence=pl.Series(evidence, dtype=pl.String))
        return after.drop(WORK), changed, pl.concat([gone, saved, told])

    def _concealed(self, step: Rework, rows: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
        """Ledger entries that show of their rows what the step writes, and not what was there before."""
        if not entries.height:
            return entries
        theirs = rows.filter(pl.col(NUMBER).is_in(entries[NUMBER].to_list()))
        shown = self._excerpt(theirs.with_columns(step.columns(pl.col(WORK))), _about(step))
        return entries.with_columns(excerpt=shown)

    def _map(
        self,
        name: str,
        expressions: Sequence[pl.Expr],
        batch: pl.DataFrame,
        *,
        every: bool = False,
        told_of: tuple[str, ...] = ("before", "after"),
    ) -> tuple[pl.DataFrame, int, pl.DataFrame]:
        after = batch.with_columns(expressions)
        if after.height != batch.height:
            raise BooksError(f"a Map must keep every row: {batch.height} rows became {after.height}", at=name)
        if not after[NUMBER].equals(batch[NUMBER]):
            raise BooksError("a Map must not touch the rows' identity", at=name)
        written = {expression.meta.output_name(raise_if_undetermined=False) for expression in expressions}
        if self.following and (self.following.context in written or None in written):
            after = self.following(batch, after)
        known = [column for column in data_columns(batch) if column in written or None in written]
        differs = [_differs(batch[column], after[column]) for column in known]
        if not any(mask.any() for mask in differs):
            return after, 0, pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
        any_changed = pl.Series(pl.select(pl.any_horizontal(*differs)).to_series())
        # All that the step writes are told: which of them differ in this batch must not show in a row's entry.
        changed = any_changed.arg_true()
        rows = changed if every else self._told(batch[ROW], changed)
        return after, int(any_changed.sum()), self._changes(name, batch[rows], after[rows], known, told_of)

    def _told(self, names: pl.Series, changed: pl.Series) -> pl.Series:
        """Which of the changed rows stand in the ledger."""
        if self.changes == "all":
            return changed
        chosen = [xxhash.xxh3_64_intdigest(row.encode()) % CHANGE_SAMPLE == 0 for row in names.gather(changed)]
        return changed.filter(pl.Series(chosen, dtype=pl.Boolean))

    def _changes(
        self, name: str, before: pl.DataFrame, after: pl.DataFrame, columns: list[str], told_of: tuple[str, ...]
    ) -> pl.DataFrame:
        both = before.select(NUMBER, ROW).with_columns(
            pl.struct(excerpts_of(before, columns)).alias("before"),
            pl.struct(excerpts_of(after, columns)).alias("after"),
        )
        evidence = both.select(pl.struct(told_of).struct.json_encode()).to_series()
        return entries_of(
            after,
            action="changed",
            part=name,
            reason=pl.Series([name]).new_from_index(0, after.height),
            evidence=evidence,
            excerpt=self._excerpt(after, columns[0]),
            record=None,
        )

    def _filter(
        self, name: str, step: Filter, batch: pl.DataFrame, spared: Spared
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        why = step.reason()
        verdict, told = self._lifted(name, batch, step.keep(), why, spared)
        kept, gone = self._sorted_out(name, batch, verdict, why, step.evidence(), _about(step))
        return kept, pl.concat([gone, told])

    def _lifted(
        self, name: str, rows: pl.DataFrame, verdict: pl.Expr, why: pl.Expr, spared: Spared
    ) -> tuple[pl.Expr, pl.DataFrame]:
        """The verdict without the rejections that people lifted, and the ledger entries of these."""
        if not spared.by(name).height:
            return verdict, pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
        keep = rows.with_columns(verdict.alias(WORK))[WORK]
        lifted = spared.mask(name, rows[NUMBER]) & ~keep.fill_null(False)
        reasons = rows.with_columns(why.alias(WORK))[WORK].filter(lifted)
        told = rescued(rows.filter(lifted), reasons, name, spared)
        return pl.lit(keep | lifted), told  # null stays null: it cannot be told

    def _sorted_out(
        self,
        name: str,
        batch: pl.DataFrame,
        verdict: pl.Expr,
        why: pl.Expr,
        facts: Mapping[str, pl.Expr],
        column: str | None,
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        keep = batch.select(verdict.alias("keep")).to_series()
        if keep.len() != batch.height:  # a literal stands for every row
            keep = keep.new_from_index(0, batch.height)
        if keep.all(ignore_nulls=False):
            return batch, pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
        gone = batch.filter(~keep.fill_null(False))
        reason = pl.when(keep.filter(~keep.fill_null(False)).is_null()).then(pl.lit("cannot_tell")).otherwise(why)
        found = gone.select(NUMBER, reason.alias("reason"), **{f" {key}": fact for key, fact in facts.items()})
        evidence = [fit_to_show(found[f" {key}"]).alias(key) for key in facts]
        return batch.filter(keep), entries_of(
            gone,
            action="rejected",
            part=name,
            reason=found["reason"],
            evidence=pl.DataFrame(evidence).select(pl.struct(pl.all()).struct.json_encode()).to_series()
            if facts
            else pl.Series(["{}"]).new_from_index(0, gone.height),
            excerpt=self._excerpt(gone, column),
            record=whole_rows(gone.drop(WORK, strict=False)),
        )

    def _excerpt(self, rows: pl.DataFrame, column: str | None) -> pl.Series:
        return excerpt(rows, column, self.shown)


def _about(step: Filter) -> str | None:
    """The column that a step is about. One that looks at several says in its evidence which of them it was about."""
    single = (getattr(step, option, None) for option in step.columns_named())
    return next((name for name in single if isinstance(name, str)), None)


def _differs(before: pl.Series, after: pl.Series) -> pl.Series:
    if before.dtype != after.dtype:
        before, after = as_text(before), as_text(after)
    return before.ne_missing(after)
