"""From sources to clean rows: passes over shards, each one an artefact of the store, with the books kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, told_as
from seedbed.core.ledger import Books
from seedbed.core.numbers import things
from seedbed.core.part import Part, labels_of, placed
from seedbed.core.rows import data_columns
from seedbed.core.run import StepRecord
from seedbed.core.source import Source
from seedbed.core.step import Second, Step
from seedbed.core.table import Table
from seedbed.core.task import Task

from .jobs import Opened
from .passes import Passes
from .plan import Leg, check_column, check_columns, check_steps, common_schema, legs_of, renames_of
from .units import Crew


@dataclass(frozen=True)
class Curated:
    """Clean rows, and what happened to the others."""

    table: Table
    books: Books
    parts: tuple[StepRecord, ...]
    ledger: tuple[tuple[Path, ...], ...]
    """Ledger shards (`STORED_LEDGER_SCHEMA`) of each pass."""
    opened: tuple[Opened, ...]
    seconds: tuple[tuple[str, Second], ...]
    """Sources that steps read besides the rows, with the steps' names in the ledger."""
    facts: dict[str, Any]
    """Sums over the rows as read: `sources`, `labels`, `other_labels` (a number), `lengths`, `remarks`."""
    with_copies: Table | None
    """The rows before the first step that removes copies, where there is one."""
    schema: pl.Schema
    """Columns of the rows as read."""
    key: str
    """Digest of everything that the rows were made from."""
    remarks: tuple[str, ...] = ()
    """What steps said when all rows had passed, a sentence each."""


@dataclass(frozen=True)
class Curation:
    """Sources and steps, ready to be run."""

    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    task: Task
    context: Context
    changes: Literal["sample", "all"] = "sample"
    also: tuple[tuple[str, Part], ...] = ()
    """Parts of later stages, with their places in the recipe: a column that they name must be there, too."""

    def planned(self) -> tuple[tuple[Opened, ...], pl.Schema, list[Leg]]:
        """The sources, scanned; their columns; and the passes that the steps fall into: all there is before the first.

        Raises:
            RecipeError: A step names a column that is not there or cannot work on it.
            DataError: A source cannot be read.
        """
        opened = open_sources(self.sources, self.context)
        schema = schema_of(opened)
        columns = data_columns(check_steps(self.steps, schema))
        for role, column in self.task.roles.items():
            check_column(column, columns, f"task.{role}", "the task")
        columns += [name for name in self.task.written if name not in columns]
        for at, part in self.also:
            check_columns(part, columns, at)
        return opened, schema, legs_of(self.steps, self.task)

    def run(self) -> Curated:
        """Read, change, keep and reject.

        Raises:
            RecipeError: A step names a column that is not there or cannot work on it.
            DataError: A source cannot be read, or no row is left.
            BooksError: Rows were lost or invented.
        """
        opened, schema, legs = self.planned()
        own = any(type(part).__module__ == "__main__" for part in (*self.sources, *self.steps))
        # A worker cannot import what a script or a notebook defines for itself.
        if own and self.context.engine == "ray":
            raise RecipeError(
                "a part is defined by the script or notebook that runs, which no node of a cluster can import",
                at="--engine ray",
                hint="put the part into a module that is installed on every node",
            )
        with Crew.of(replace(self.context, workers=1) if own else self.context) as crew:
            passes = Passes(opened, schema, self.task, crew, self.changes)
            for leg in legs:
                passes.go(leg)
        return Curated(
            table=passes.table,
            books=passes.books,
            parts=tuple(passes.counts),
            ledger=tuple(passes.ledger),
            opened=opened,
            seconds=tuple(passes.seconds),
            facts=passes.first,
            with_copies=passes.with_copies,
            schema=schema,
            key=passes.key,
            remarks=tuple(passes.remarks),
        )


def open_sources(sources: Sequence[Source], context: Context) -> tuple[Opened, ...]:
    """Scan the sources of a run, in order, and name their rows.

    Raises:
        RecipeError: `columns` names a column that is not there.
        DataError: A source is not there, or is not what it is read as.
    """
    opened: list[Opened] = []
    files = 0
    with context.stage("Looking at the sources", len(sources), "sources") as stage:
        for place, (source, part) in enumerate(zip(sources, labels_of(list(sources)), strict=True)):
            with told_as(DataError, source.address), placed(f"sources.{place}", source):
                scan = source.scan(context)
            renames = renames_of(source, scan, f"sources.{place}")
            opened.append(Opened(source, scan, part, source.name or str(place), files, renames))
            files += len(scan.files)
            stage.advance(1, things(len(scan.files), "file"))
    return tuple(opened)


def schema_of(opened: Sequence[Opened]) -> pl.Schema:
    """The columns of all sources together.

    Raises:
        RecipeError: Two sources hold values of types that do not go together.
    """
    return common_schema(
        [
            (f"sources.{i}", pl.Schema({new: one.scan.schema[old] for new, old in one.renames.items()}))
            for i, one in enumerate(opened)
        ]
    )


def lock_of(curated: Curated) -> list[dict[str, Any]]:
    """The digests of every input."""
    scans = [*((one.name, one.scan) for one in curated.opened), *((name, two.scan) for name, two in curated.seconds)]
    return [
        {"source": name, "file": file.name, "bytes": file.size, "sha256": file.sha256}
        for name, scan in scans
        for file in scan.files
    ]
