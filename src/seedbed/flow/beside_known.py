"""Rows of a file beside those of a recipe's own sources: which stand in both, and which are copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.context import Context
from seedbed.core.part import labels_of
from seedbed.core.rows import number_rows
from seedbed.core.similarity import normalise
from seedbed.core.step import Map, Step
from seedbed.core.task import Task
from seedbed.core.values import said
from seedbed.engine.curate import schema_of
from seedbed.engine.jobs import Opened, conform
from seedbed.engine.kernel import Kernel
from seedbed.profile import copies_in
from seedbed.recipe.recipe import Recipe

#: Labels beyond so many are not counted: that many are no labels.
_MOST_LABELS = 1_000
#: Texts in which copies are looked for.
_MOST_TEXTS = 50_000


class Copies(BaseModel):
    """Copies inside a file."""

    model_config = ConfigDict(frozen=True)

    of: int = Field(description="Rows that were looked through: those with a text, of a big file the first.")
    exact: int = Field(description="Rows whose text, but for case and white space, stood before.")
    compared: int = Field(description="Of those, rows that were looked through for near copies.")
    near: int = Field(description="Of those, further rows whose text is similar to one before.")
    conflicts: int = Field(description="Rows whose text also stands with another label.")


class Known(BaseModel):
    """Rows that stand in the recipe's own sources, too."""

    model_config = ConfigDict(frozen=True)

    rows: int = Field(description="Rows whose text, but for case and white space, stands there.")
    of: int = Field(description="Rows with a text.")
    other_label: int = Field(description="Those of them that stand there with other labels only.")


def _as_told(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Rows with what the task shows as `text`, and what it answers as `label`."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    text, label = (said(rows[name]) if name in rows.columns else nothing for name in (task.shown, task.answer))
    return pl.DataFrame({"text": text, "label": label})


@dataclass
class ReadRows:
    """Rows after the steps that rewrite columns, as far as comparing them takes."""

    texts: list[pl.Series] = field(default_factory=list)
    labelled: list[pl.Series] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    """Of each row's text; and, in `pairs`, of its text and label together."""
    pairs: list[NDArray[np.uint64]] = field(default_factory=list)
    told: list[NDArray[np.bool_]] = field(default_factory=list)
    """Whether each row has a label."""
    kept: int = 0

    @classmethod
    def of(cls, opened: Sequence[Opened], recipe: Recipe, context: Context) -> ReadRows:
        """Read all rows once; only hashes and some texts stay in memory."""
        found, task = cls(), recipe.task
        size = sum(file.size for one in opened for file in one.scan.files)
        with context.stage("Comparing rows", size, "B") as stage:
            for rows, read in _mapped(opened, recipe.steps, context):
                told = _as_told(rows, task)
                found.add(told.filter(pl.col("text").str.strip_chars().str.len_bytes() > 0))
                stage.advance(read)
        return found

    def add(self, rows: pl.DataFrame) -> None:
        """Note some rows (`text`, `label`)."""
        alike = pl.DataFrame({"text": normalise(rows["text"]), "label": rows["label"]})
        self.hashes.append(alike["text"].hash(1997).to_numpy())
        self.pairs.append(alike.select(pl.struct("text", "label").hash(1997)).to_series().to_numpy())
        self.told.append(rows["label"].is_not_null().to_numpy())
        if len(self.labels) <= _MOST_LABELS:
            counted = rows.filter(pl.col("label").str.strip_chars().str.len_bytes() > 0)["label"]
            self.labels.update(dict(counted.value_counts(name="n").iter_rows()))
        if self.kept < _MOST_TEXTS:
            self.texts.append(rows["text"])
            self.labelled.append(rows["label"])
            self.kept += rows.height

    def copies(self) -> Copies:
        """Copies among these rows."""
        if not self.kept:
            return Copies(of=0, exact=0, compared=0, near=0, conflicts=0)
        found = copies_in(pl.concat(self.texts), pl.concat(self.labelled))
        return Copies(
            of=self.kept,
            exact=found["exact_copies"],
            compared=found["compared"],
            near=found["near_copies"],
            conflicts=found["conflicts"],
        )

    def among(self, others: ReadRows) -> Known:
        """How many of these rows stand among others."""
        here, there = np.concatenate(self.hashes), np.concatenate(others.hashes)
        known = np.isin(here, there)
        agreed = np.isin(np.concatenate(self.pairs), np.concatenate(others.pairs))
        other = known & ~agreed & np.concatenate(self.told)
        return Known(rows=int(known.sum()), of=len(here), other_label=int(other.sum()))


def _mapped(opened: Sequence[Opened], steps: Sequence[Step], context: Context) -> Iterator[tuple[pl.DataFrame, int]]:
    """Rows of some sources after the steps that rewrite columns, and the bytes that they stand for."""
    maps = tuple(
        (name, step) for name, step in zip(labels_of(list(steps)), steps, strict=True) if isinstance(step, Map)
    )
    kernel, schema = Kernel(maps), schema_of(opened)
    for one in opened:
        for block in one.source.blocks(one.scan, context):
            parsed = one.source.parse(block, one.scan)
            table = conform(parsed.table, one.renames, schema)
            name, number = one.scan.files[block.file].name, one.first_file + block.file
            rows = number_rows(table, file_number=number, source=one.name, file=name, records=parsed.records)
            yield kernel(rows).kept, block.size
