"""Row-wise steps over one batch, with the books kept: the one place where rows are changed, kept and rejected.

It knows nothing of files, workers or passes, so that whatever has a batch can use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import xxhash

from seedbed.core.errors import BooksError, DataError, told_as
from seedbed.core.ledger import EXCERPT_LENGTH, STORED_LEDGER_SCHEMA, excerpt_of
from seedbed.core.rows import NUMBER, ROW, as_json, data_columns
from seedbed.core.step import Filter, Map, Rework
from seedbed.core.task import Task

#: Where the work of a `Rework` lies while its batch is here; no source can name a column so.
WORK = "\x00work"
#: One in so many changed rows is written to the ledger unless the recipe asks for all.
CHANGE_SAMPLE = 100


class Usable(Filter):
    """Keeps the rows that the task can use. The engine puts it last; a recipe cannot name it."""

    use: str = ""
    task: Task

    def keep(self) -> pl.Expr:
        """Rows with a text and a known label."""
        return self.task.refusal().is_null()

    def reason(self) -> pl.Expr:
        """What is missing."""
        return self.task.refusal()


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

    def __call__(self, batch: pl.DataFrame) -> Outcome:
        """Apply the steps in order."""
        entries: list[pl.DataFrame] = []
        rows_out, changed = {}, {}
        met: dict[str, pl.Series] = {}
        for name, step in self.steps:
            with told_as(DataError, name, about=extent(batch)):
                if isinstance(step, Rework):
                    batch, changed[name], told = self._rework(name, step, batch, met)
                elif isinstance(step, Map):
                    batch, changed[name], told = self._map(name, step.columns(), batch)
                else:
                    batch, told = self._filter(name, step, batch)
            entries.append(told)
            rows_out[name] = batch.height
        ledger = pl.concat(entries) if entries else pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
        return Outcome(batch, ledger, rows_out, changed, met)

    def _rework(
        self, name: str, step: Rework, batch: pl.DataFrame, met: dict[str, pl.Series]
    ) -> tuple[pl.DataFrame, int, pl.DataFrame]:
        work = batch.select(step.work().alias(WORK)).to_series()
        if work.len() != batch.height:
            raise BooksError(f"the work on {batch.height} rows gave {work.len()}", at=name)
        if "met" in work.struct.fields:
            met[name] = work.struct.field("met").drop_nulls().unique()
        done = pl.col(WORK)
        kept, gone = self._sorted_out(
            name, batch.with_columns(work), step.keep(done), step.reason(done), step.evidence(done), _about(step)
        )
        after, changed, told = self._map(name, step.columns(done), kept)
        return after.drop(WORK), changed, pl.concat([gone, told])

    def _map(
        self, name: str, expressions: Sequence[pl.Expr], batch: pl.DataFrame
    ) -> tuple[pl.DataFrame, int, pl.DataFrame]:
        after = batch.with_columns(expressions)
        if after.height != batch.height:
            raise BooksError(f"a Map must keep every row: {batch.height} rows became {after.height}", at=name)
        if not after[NUMBER].equals(batch[NUMBER]):
            raise BooksError("a Map must not touch the rows' identity", at=name)
        written = {expression.meta.output_name(raise_if_undetermined=False) for expression in expressions}
        known = [column for column in data_columns(batch) if column in written or None in written]
        differs = [_differs(batch[column], after[column]) for column in known]
        if not any(mask.any() for mask in differs):
            return after, 0, pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
        any_changed = pl.Series(pl.select(pl.any_horizontal(*differs)).to_series())
        # All that the step writes are told: which of them differ in this batch must not show in a row's entry.
        rows = self._told(batch[ROW], any_changed.arg_true())
        return after, int(any_changed.sum()), self._changes(name, batch[rows], after[rows], known)

    def _told(self, names: pl.Series, changed: pl.Series) -> pl.Series:
        """Which of the changed rows stand in the ledger."""
        if self.changes == "all":
            return changed
        chosen = [xxhash.xxh3_64_intdigest(row.encode()) % CHANGE_SAMPLE == 0 for row in names.gather(changed)]
        return changed.filter(pl.Series(chosen, dtype=pl.Boolean))

    def _changes(self, name: str, before: pl.DataFrame, after: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
        both = before.select(NUMBER, ROW).with_columns(
            pl.struct(_excerpts(before, columns)).alias("before"), pl.struct(_excerpts(after, columns)).alias("after")
        )
        evidence = both.select(pl.struct("before", "after").struct.json_encode()).to_series()
        return _entries(
            after,
            action="changed",
            part=name,
            reason=pl.Series([name]).new_from_index(0, after.height),
            evidence=evidence,
            excerpt=self._excerpt(after, columns[0]),
            record=None,
        )

    def _filter(self, name: str, step: Filter, batch: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        return self._sorted_out(name, batch, step.keep(), step.reason(), step.evidence(), _about(step))

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
        evidence = [_fit_to_show(found[f" {key}"]).alias(key) for key in facts]
        return batch.filter(keep), _entries(
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


def _fit_to_show(facts: pl.Series) -> pl.Series:
    """Evidence with every text in it as an excerpt, so that no part can forget to."""
    if facts.dtype in (pl.String, pl.Categorical, pl.Enum):
        return facts.to_frame("fact").select(excerpt_of(pl.col("fact").cast(pl.String))).to_series()
    if facts.dtype == pl.List(pl.String):
        return facts.to_frame("fact").select(pl.col("fact").list.eval(excerpt_of(pl.element()))).to_series()
    if facts.dtype == pl.Binary:  # JSON has no word for it
        return facts.bin.slice(0, EXCERPT_LENGTH // 2).bin.encode("hex")
    return facts


def reject(
    rows: pl.DataFrame, verdicts: pl.DataFrame, name: str, shown: str | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Apply verdicts (`NUMBER`, `reason`, `evidence`) to rows: those that stay, and ledger entries for the others."""
    verdicts = verdicts.sort(NUMBER)  # as rows are; a join of columns could meet the user's own names
    numbers, judged = rows[NUMBER].to_numpy(), verdicts[NUMBER].to_numpy()
    places = np.searchsorted(numbers, judged)
    here = places < len(numbers)
    here[here] = numbers[places[here]] == judged[here]
    stays = np.ones(len(numbers), bool)
    stays[places[here]] = False
    gone, verdicts = rows[places[here]], verdicts.filter(pl.Series(here))
    reason, evidence = verdicts["reason"], verdicts["evidence"]
    return rows.filter(pl.Series(stays)), _entries(
        gone,
        action="rejected",
        part=name,
        reason=reason,
        evidence=evidence,
        excerpt=excerpt(gone, None, shown),
        record=whole_rows(gone),
    )


def malformed_entries(bad: pl.DataFrame, numbered: pl.DataFrame, part: str) -> pl.DataFrame:
    """Ledger entries for records that a source could not parse.

    Args:
        bad: `MALFORMED_SCHEMA`.
        numbered: `NUMBER` and `ROW` of the same records.
        part: The source's name in the ledger.
    """
    line = bad.select(pl.struct("line").struct.json_encode()).to_series()
    evidence = pl.Series([_merge(a, b) for a, b in zip(line, bad["evidence"], strict=True)], dtype=pl.String)
    return _entries(
        numbered,
        action="rejected",
        part=part,
        reason=bad["reason"],
        evidence=evidence,
        excerpt=bad.select(excerpt_of(pl.col("raw"))).to_series(),
        record=bad["raw"],
    )


def excerpt(rows: pl.DataFrame, *candidates: str | None) -> pl.Series:
    """Excerpts of the first of the columns that is there, else of the first column of text."""
    strings = [name for name in data_columns(rows) if rows.schema[name] == pl.String]
    column = next((name for name in (*candidates, *strings) if name and name in rows.columns), None)
    if column is None:
        return pl.Series([""]).new_from_index(0, rows.height)
    return rows.select(excerpt_of(pl.col(column).cast(pl.String, strict=False)).fill_null("")).to_series()


def extent(rows: pl.DataFrame) -> str:
    """The first and the last of some rows, for messages."""
    return f"rows {rows[ROW][0]} to {rows[ROW][-1]}" if rows.height and ROW in rows.columns else ""


def whole_rows(rows: pl.DataFrame) -> pl.Series:
    """Each row's own columns as a JSON object."""
    return as_json(rows.select(data_columns(rows)))


def _merge(a: str, b: str | None) -> str:
    return a if not b or b == "{}" else f"{a[:-1]},{b[1:]}"


def _excerpts(rows: pl.DataFrame, columns: list[str]) -> list[pl.Series]:
    return [rows.select(excerpt_of(pl.col(c).cast(pl.String, strict=False)).alias(c)).to_series() for c in columns]


def _differs(before: pl.Series, after: pl.Series) -> pl.Series:
    if before.dtype != after.dtype:
        before, after = before.cast(pl.String, strict=False), after.cast(pl.String, strict=False)
    return before.ne_missing(after)


def _entries(
    rows: pl.DataFrame,
    *,
    action: str,
    part: str,
    reason: pl.Series,
    evidence: pl.Series,
    excerpt: pl.Series,
    record: pl.Series | None,
) -> pl.DataFrame:
    named = rows.select(
        NUMBER,
        ROW,
        action=pl.lit(action),
        part=pl.lit(part),
        reason=reason.cast(pl.String),
        evidence=evidence,
        excerpt=excerpt,
        source=pl.col(ROW).str.replace(r"(?s):.*$", ""),
        record=pl.lit(None, pl.String) if record is None else record,
    )
    return named.select(pl.col(name).cast(kind) for name, kind in STORED_LEDGER_SCHEMA.items())
