"""Rows that a part makes: checked, named, numbered, and left out where they are near to what must judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from seedbed.core.errors import BooksError, DataError, told_as
from seedbed.core.ledger import STORED_LEDGER_SCHEMA
from seedbed.core.rows import NUMBER, PARENTS, RECORD_BITS, ROW
from seedbed.core.similarity.against import Against
from seedbed.core.step import Make

from .entries import made_entries, reject

#: Why a made row is rejected: it says nearly what a held-out row says.
NEAR_HELD_OUT = "near_held_out"


@dataclass(frozen=True)
class HeldOut:
    """Rows that must judge: what is made must not be near to one of them."""

    rows: pl.Series
    """Their `ROW` names."""
    columns: tuple[str, ...]
    """What is compared of a row."""
    texts: Callable[[pl.DataFrame], pl.Series]
    """The same as one text for each row."""
    against: Against


@dataclass(frozen=True)
class MadeRows:
    """Some rows that were made, and what became of them."""

    kept: pl.DataFrame
    """As training rows are, with `PARENTS`."""
    entries: pl.DataFrame
    """Ledger entries (`STORED_LEDGER_SCHEMA`)."""
    made: int
    near: int
    """Those that were rejected."""


@dataclass(frozen=True)
class Making:
    """A part that makes rows, with what is known of the training rows."""

    step: Make
    name: str
    """In the ledger and in the names of its rows."""
    file: int
    """Place of its rows among all files of the run."""
    seed: int
    shown: str | None
    """Column whose excerpt stands in the ledger."""
    held_out: HeldOut | None = None

    def __call__(self, train: pl.LazyFrame) -> Iterator[MadeRows]:
        """Have the part make rows.

        Raises:
            DataError: The part cannot work on these rows.
            BooksError: The part made rows that are none, or without parents.
        """
        schema = train.collect_schema()
        known = train.select(ROW).collect()[ROW]
        copied = self._texts(train) if self.held_out else None
        number = 0
        frames = iter(self.step.make(train, self.seed))
        while True:
            with told_as(DataError, self.name):
                frame = next(frames, None)
            if frame is None:
                return
            if frame.height:
                rows = self._named(self._checked(frame, schema, known), number, schema)
                number += rows.height
                yield self._judged(rows, copied)

    def _checked(self, frame: pl.DataFrame, schema: pl.Schema, known: pl.Series) -> pl.DataFrame:
        lacking = [name for name in (*schema, PARENTS) if name not in (*frame.columns, ROW, NUMBER)]
        if lacking:
            raise BooksError(f"made rows lack the column {lacking[0]!r}", at=self.name)
        parents = frame[PARENTS].cast(pl.List(pl.String))
        if not (parents.list.len().fill_null(0) > 0).all() or not parents.explode().is_in(known.implode()).all():
            raise BooksError("a made row has no parent among the training rows", at=self.name)
        return frame.with_columns(parents)

    def _named(self, frame: pl.DataFrame, before: int, schema: pl.Schema) -> pl.DataFrame:
        records = pl.Series(np.arange(before + 1, before + 1 + frame.height, dtype=np.uint64))
        numbers = records + np.uint64(self.file << RECORD_BITS)
        names = pl.Series([f"{self.name}:made#"]).new_from_index(0, frame.height) + records.cast(pl.String)
        given = {NUMBER: numbers, ROW: names}
        columns = [given.get(name, frame[name] if name in frame.columns else names) for name in schema]
        return pl.DataFrame(
            [column.cast(kind).alias(name) for column, (name, kind) in zip(columns, schema.items(), strict=True)]
            + [frame[PARENTS]]
        )

    def _texts(self, train: pl.LazyFrame) -> pl.Series:
        """Hashes of what training rows say: a copy of one is as near to held-out rows as that is."""
        assert self.held_out is not None
        return self.held_out.texts(train.select(self.held_out.columns).collect()).hash().unique()

    def _judged(self, rows: pl.DataFrame, copied: pl.Series | None) -> MadeRows:
        entries = made_entries(rows, self.name, self.shown)
        near = self._near(rows, copied)
        parents = rows.select(NUMBER, PARENTS)
        kept, gone = reject(rows.drop(PARENTS), near, self.name, self.shown)
        ledger = pl.concat([pl.DataFrame(schema=STORED_LEDGER_SCHEMA), entries, gone]).sort(NUMBER, maintain_order=True)
        return MadeRows(kept.join(parents, on=NUMBER, maintain_order="left"), ledger, rows.height, near.height)

    def _near(self, rows: pl.DataFrame, copied: pl.Series | None) -> pl.DataFrame:
        """Verdicts on rows that are near to a held-out row."""
        schema = {NUMBER: pl.UInt64, "reason": pl.String, "evidence": pl.String}
        if self.held_out is None or copied is None:
            return pl.DataFrame(schema=schema)
        texts = self.held_out.texts(rows)
        new = (~texts.hash().is_in(copied.implode())).arg_true()
        places, similarity = self.held_out.against.nearest(texts.gather(new))
        found = np.flatnonzero(places >= 0)
        evidence = pl.DataFrame(
            {"of": self.held_out.rows.gather(places[found]), "similarity": similarity[found].round(4)}
        )
        return pl.DataFrame(
            {
                NUMBER: rows[NUMBER].gather(new.gather(found)),
                "reason": pl.Series([NEAR_HELD_OUT]).new_from_index(0, len(found)),
                "evidence": evidence.select(pl.struct("of", "similarity").struct.json_encode()).to_series(),
            },
            schema=schema,
        )
