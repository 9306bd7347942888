"""The rows of a run as a reviewer needs them: as they are in the dataset, and as their sources hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.check import SPLIT
from seedbed.core.context import Context, Progress, current, store_of
from seedbed.core.decision import text_hash
from seedbed.core.documents import open_document
from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.ledger import LEDGER_SCHEMA
from seedbed.core.rows import NUMBER, RECORD_BITS, ROW, data_columns
from seedbed.core.task import Task, answers_said, fields_said, rows_said
from seedbed.engine.curate import schema_of
from seedbed.engine.jobs import Opened
from seedbed.engine.raw import raw_rows
from seedbed.flow.explaining.reread import bases_of, opened_again
from seedbed.flow.finished import Finished
from seedbed.flow.splitting.dataset import Dataset
from seedbed.review.queue import Answers
from seedbed.store.runs import Index

_AS_READ = {ROW: pl.String(), "raw": pl.String(), "raw_label": pl.String(), "read": pl.String()}


@dataclass(frozen=True)
class RunRows:
    """What is known of a run's rows."""

    finished: Finished
    progress: Progress | None = None
    _asked: set[str] = field(default_factory=set, compare=False, repr=False)
    _read: list[pl.DataFrame] = field(default_factory=list, compare=False, repr=False)

    @cached_property
    def task(self) -> Task:
        """What the rows are for.

        Raises:
            DataError: The record of the run does not say it.
        """
        if self.finished.task is None:
            raise DataError("the record of the run does not say what its rows are for", at=str(self.finished.folder))
        return self.finished.task

    @property
    def answers(self) -> Answers:
        """What people say of a row: one of the labels, some of them, a number, or nothing."""
        says = self.task.says
        return says if says in ("label", "labels", "number") else "nothing"

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels."""
        run = self.finished.run
        if self.answers not in ("label", "labels"):
            return ()
        found = run.task.get("labels") or sorted({one for split in run.dataset.labels.values() for one in split})
        return tuple(found)

    @cached_property
    def _found(self) -> tuple[Any, tuple[Opened, ...], Context] | str:
        try:
            return opened_again(self.finished)
        except SeedbedError as error:
            return error.problem

    @property
    def unread(self) -> str:
        """Why the sources cannot be read again; empty where they can."""
        return self._found if isinstance(self._found, str) else ""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The columns of all sources together, with their types; none where they cannot be read any more."""
        return {} if isinstance(self._found, str) else schema_of(self._found[1])

    @property
    def base(self) -> Path:
        """The folder of the recipe: the one whose store knows the run, else the one that holds a recipe of its name."""
        likely = list(bases_of(self.finished))
        knowing = (base for base in likely if store_of(base).is_dir() and self._is_known(Index(store_of(base)), base))
        words = Path(next((word for word in self.finished.run.command.split() if word.endswith((".yaml", ".yml"))), ""))
        named = (base for base in likely if words.name and (base / words.name).is_file())
        return next(knowing, None) or next(named, likely[0])

    def _is_known(self, index: Index, base: Path) -> bool:
        """Whether an index names the run; one that several recipes share tells nothing of their folders."""
        if index.root.parent != base:
            return False
        return any(entry.id == self.finished.run.id for entry in index.readable()[0])

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The recipe as resolved, its parts not made."""
        data: dict[str, Any] = open_document(self.finished.folder / "recipe.yaml").data
        return data

    @property
    def splits(self) -> list[str]:
        """Splits that hold rows."""
        return [name for name in self.finished.run.dataset.splits if self._dataset.files(name)]

    @property
    def _dataset(self) -> Dataset:
        return Dataset(self.finished.folder / "dataset")

    def kept(self) -> pl.LazyFrame:
        """The dataset: `ROW`, `split`, `text`, `label`.

        Raises:
            DataError: The run stopped before it had one.
        """
        if not self.splits:
            raise DataError("this run has no dataset to review", at=str(self.finished.folder), hint="see its report")
        rows = self._dataset.scan_all(self.splits)
        known = data_columns(rows.collect_schema())
        named = dict.fromkeys([*self.task.roles.values(), *(self.task.compared(known) if not self.task.shown else ())])
        read = pl.struct([name for name in named if name in known])
        shown = pl.Struct({"text": pl.String, "label": pl.String})
        told = read.map_batches(self._shown, return_dtype=shown, is_elementwise=True)
        return rows.select(ROW, pl.col(SPLIT).alias("split"), told.alias("told")).unnest("told")

    def _shown(self, rows: pl.Series) -> pl.Series:
        """What is shown of some rows: what they say, and their answer."""
        values, answer = rows.struct.unnest(), self.task.answer
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, values.height)
        label = answers_said(self.task, values[answer]) if answer in values.columns else nothing
        return pl.DataFrame({"text": rows_said(self.task, values), "label": label}).to_struct()

    def rejected(self) -> pl.DataFrame:
        """The ledger's entries of rejected rows.

        Raises:
            DataError: The folder is a copy without its ledger.
        """
        files = sorted((self.finished.folder / "ledger").glob("*.parquet"))
        if not files and self.finished.run.rows.rejected_rows:
            raise DataError(
                "this copy of a run holds no ledger",
                at=str(self.finished.folder),
                hint="name the run's own folder, such as runs/NAME/latest",
            )
        entries = pl.scan_parquet(files, glob=False) if files else pl.LazyFrame(schema=LEDGER_SCHEMA)
        return entries.filter(action="rejected").drop("action").collect()

    def as_read(self, rows: pl.Series) -> pl.DataFrame:
        """Some rows as their sources hold them: `ROW`, `raw` (text, or fields), `raw_label`, `read` (`text_hash`).

        Nothing where the sources cannot be read any more; rows that are no records of them are left out. A row that was
        asked for before is not read again.
        """
        missing = rows.filter(~rows.is_in(list(self._asked)))
        if missing.len() and not self.unread:
            self._asked.update(missing.to_list())
            self._read.append(self._hashed(missing))
        found = pl.concat([pl.DataFrame(schema=_AS_READ), *self._read])
        return found.filter(pl.col(ROW).is_in(rows.to_list()))

    def _hashed(self, rows: pl.Series) -> pl.DataFrame:
        raw = self.whole(rows)
        told = self._shown(raw.drop(ROW).to_struct() if raw.width > 1 else _none(raw.height))
        found = raw.select(ROW).hstack(told.struct.unnest().rename({"text": "raw", "label": "raw_label"}).get_columns())
        return found.with_columns(pl.Series("read", self._hashes(raw, found["raw"]), dtype=pl.String))

    def _hashes(self, raw: pl.DataFrame, texts: pl.Series) -> list[str | None]:
        """By what `apply_review` knows rows again: their text, or all their fields but the answer."""
        if self.task.shown:
            return [text_hash(one) for one in texts] if self.task.shown in raw.columns else [None] * raw.height
        return [text_hash(one) for one in fields_said(raw.drop(ROW, self.task.answer or "", strict=False))]

    def whole(self, rows: pl.Series) -> pl.DataFrame:
        """Some rows as their sources hold them, with all columns; none where they cannot be read any more."""
        if isinstance(self._found, str):
            return pl.DataFrame(schema={ROW: pl.String()})
        _, opened, context = self._found
        return self._raw(opened, context, rows)

    def _raw(self, opened: Sequence[Opened], context: Context, rows: pl.Series) -> pl.DataFrame:
        with ExitStack() as stack:
            shown = self.progress or context.progress
            stack.enter_context(Context(progress=shown).stage("Reading rows again"))
            stack.enter_context(current(context))
            return raw_rows(opened, schema_of(opened), _numbers(opened, rows), context).drop(NUMBER)


def _none(rows: int) -> pl.Series:
    """So many rows that hold nothing."""
    return pl.Series([{"": None}] * rows, dtype=pl.Struct({"": pl.String}))


def _numbers(opened: Sequence[Opened], rows: pl.Series) -> pl.Series:
    """`NUMBER`s of rows, by their names; names of no file of these are left out."""
    files = {
        f"{one.name}:{file.name}": one.first_file + place for one in opened for place, file in enumerate(one.scan.files)
    }
    named = (
        rows.alias(ROW)
        .to_frame()
        .with_columns(
            file=pl.col(ROW).str.extract(r"(?s)^(.*)#\d+$"), record=pl.col(ROW).str.extract(r"#(\d+)$").cast(pl.UInt64)
        )
    )
    known = pl.DataFrame({"file": list(files), "place": list(files.values())}, schema_overrides={"place": pl.UInt64})
    found = named.join(known, on="file", how="inner")
    return found.select(pl.col("place") * (1 << RECORD_BITS) + pl.col("record"))["place"].alias(NUMBER)
