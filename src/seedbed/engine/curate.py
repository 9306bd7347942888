"""From sources to clean rows: passes over shards, each one an artefact of the store, with the books kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow.parquet as pq

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import BooksError, DataError, told_as
from seedbed.core.ledger import Books
from seedbed.core.part import Part, labels_of
from seedbed.core.rows import data_columns
from seedbed.core.run import StepRecord
from seedbed.core.source import Block, Source
from seedbed.core.step import Reduce, Second, Step
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.store.store import Artefact, Store

from .grouping import write_verdicts
from .jobs import Opened, Pass, ReadJob, ShardJob
from .kernel import Kernel
from .plan import TASK, Leg, check_column, check_columns, check_steps, common_schema, legs_of, renames_of
from .pool import Facts, Job
from .provenance import code_of, versions
from .units import Crew


@dataclass(frozen=True)
class Curated:
    """Clean rows, and what happened to the others."""

    table: Table
    books: Books
    parts: tuple[StepRecord, ...]
    ledger: tuple[Path, ...]
    """Ledger shards (`STORED_LEDGER_SCHEMA`), a pass after the other."""
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

    def run(self) -> Curated:
        """Read, change, keep and reject.

        Raises:
            RecipeError: A step names a column that is not there or cannot work on it.
            DataError: A source cannot be read, or no row is left.
            BooksError: Rows were lost or invented.
        """
        opened = open_sources(self.sources, self.context)
        schema = schema_of(opened)
        columns = data_columns(check_steps(self.steps, schema))
        for role, column in self.task.roles.items():
            check_column(column, columns, f"task.{role}", "the task")
        for at, part in self.also:
            check_columns(part, columns, at)
        legs = legs_of(self.steps, self.task)
        own = any(type(part).__module__ == "__main__" for part in (*self.sources, *self.steps))
        # A worker cannot import what a script or a notebook defines for itself.
        with Crew.of(replace(self.context, workers=1) if own else self.context) as crew:
            passes = _Passes(self, opened, schema, crew)
            for leg in legs:
                passes.go(leg)
        return passes.result()


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
            with told_as(DataError, source.path):
                scan = source.scan(context)
            renames = renames_of(source, scan, f"sources.{place}")
            opened.append(Opened(source, scan, part, source.name or str(place), files, renames))
            files += len(scan.files)
            stage.advance(1, f"{len(scan.files)} files")
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


class _Passes:
    """The passes of a curation, one after the other."""

    def __init__(self, curation: Curation, opened: tuple[Opened, ...], schema: pl.Schema, crew: Crew) -> None:
        self.curation, self.context, self.crew = curation, curation.context, crew
        self.opened, self.schema = opened, schema
        self.store = Store(self.context.store)
        self.table = Table(())
        self.key = ""
        self.counts: list[StepRecord] = []
        self.books: Books | None = None
        self.ledger: list[Path] = []
        self.first: dict[str, Any] = {}
        self.seconds: list[tuple[str, Second]] = []
        self.with_copies: Table | None = None
        self.pending: tuple[str, Reduce, Path, int] | None = None
        """Verdicts that the next pass is to apply: whose, where, how many."""

    def go(self, leg: Leg) -> None:
        """Do the pass of one leg, then the keys and verdicts of the step that ends it."""
        kernel = Kernel(leg.steps, self.curation.task.text, self.curation.changes)
        reduce = leg.ends_with
        parts: list[Part] = [step for _, step in leg.steps]
        made_from = [self.key, self.curation.changes, self._steps_key(leg)]
        if self.books is None:
            made_from += [_source_key(one) for one in self.opened] + [list(map(str, self.schema.items()))]
            parts += list(self.curation.sources)
        self.key = digest.of_json([*made_from, code_of(*(type(part) for part in parts)), versions()])
        artefact = self.store.artefact("passes", self.key)
        then = Pass(artefact.folder, kernel, self.context.batch, dict(reduce[1].survey()) if reduce else {})
        facts = self._facts(artefact, then, leg)
        self._account(artefact, facts, leg)
        if reduce:
            self._judge(artefact, reduce, facts.get("survey", {}))

    def _steps_key(self, leg: Leg) -> list[Any]:
        named: list[Any] = [[name, step.model_dump(mode="json"), step.made_from()] for name, step in leg.steps]
        return [*named, leg.ends_with and leg.ends_with[1].model_dump(mode="json")]

    def _facts(self, artefact: Artefact, then: Pass, leg: Leg) -> Facts:
        if artefact.whole:
            if _intact(artefact):
                return artefact.facts()
            artefact.forget()
            artefact.folder.mkdir()
        title = self._title(leg)
        if self.books is None:
            job: Job = ReadJob(then, self.opened, self.schema, *self._watched())
            size = float(sum(file.size for one in self.opened for file in one.scan.files))
            try:
                facts = self.crew.work(artefact, job, self._blocks(), title=title, total=size, unit="B")
            except DataError:  # of a file that has changed, what was done so far must not be taken up again
                artefact.forget()
                raise
        else:
            name, _, verdicts, _ = self.pending or ("", None, None, 0)
            shards = [(unit, 1.0) for unit in enumerate(self.table.shards)]
            job = ShardJob(then, verdicts, name)
            facts = self.crew.work(artefact, job, shards, title=title, total=len(shards), unit="shards")
        artefact.seal(facts)
        return facts

    def _title(self, leg: Leg) -> str:
        names = [name for name, _ in leg.steps if name != TASK]
        return ("Reading" if self.books is None else "Applying") + (
            f": {', '.join(names)}" if names else " verdicts" if self.pending else ""
        )

    def _watched(self) -> tuple[str | None, str | None]:
        roles = self.curation.task.roles
        return roles.get("text"), roles.get("label")

    def _blocks(self) -> Iterator[tuple[tuple[int, int, Block], float]]:
        index = 0
        for which, one in enumerate(self.opened):
            for block in one.source.blocks(one.scan, self.context):
                yield (index, which, block), float(block.size)
                index += 1

    def _account(self, artefact: Artefact, facts: Facts, leg: Leg) -> None:
        units = facts.get("units", 0)
        rejected = facts.get("rejected", {})
        books = Books(
            read=facts.get("read", 0), kept=facts.get("rows", 0), changed=facts.get("changed", {}), rejected=rejected
        )
        books.check(at=f"pass {artefact.folder.name}")
        rows = books.read
        if self.books is None:
            told = ("sources", "labels", "other_labels", "lengths", "remarks")
            self.first = {key: facts.get(key, {}) for key in told}
            for one in self.opened:
                bad = rejected.get(one.part, {})
                rows = self._count(one.part, one.source.use, rows, rows - sum(bad.values()), rejected=bad)
        if self.pending:
            name, judged, _, count = self.pending
            gone = rejected.get(name, {})
            if sum(gone.values()) != count:
                raise BooksError(f"{count} verdicts rejected {sum(gone.values())} rows", at=name)
            rows = self._count(name, judged.use, rows, rows - count, rejected=gone)
        for name, step in leg.steps:
            out = facts.get("rows_out", {}).get(name, 0)
            gone, changed = rejected.get(name, {}), books.changed.get(name, 0)
            rows = self._count(name, step.use, rows, out, rejected=gone, changed=changed)
            second = step.second()
            if second is not None:
                self.seconds.append((name, _with_unmet(second, name, artefact, units)))
        self.books = books if self.books is None else self.books.then(books)
        self.books.check(at="the run so far")
        self.table = Table(tuple(artefact.folder / f"rows-{index:06}.parquet" for index in range(units)))
        self.ledger += [artefact.folder / f"ledger-{index:06}.parquet" for index in range(units)]
        self.pending = None
        self._still_rows()

    def _count(self, part: str, use: str, rows: int, left: int, *, rejected: dict[str, int], changed: int = 0) -> int:
        """Note what a part did to so many rows; those that are left."""
        record = StepRecord(part=part, use=use, rows_in=rows, rows_out=left, changed=changed, rejected=rejected)
        self.counts.append(record)
        return left

    def _still_rows(self) -> None:
        assert self.books is not None
        if self.books.kept:
            return
        if not self.books.read:
            raise DataError("the sources hold no rows", at=", ".join(one.source.path for one in self.opened))
        told = why_rejected(self.books)
        sample = pl.scan_parquet(self.ledger[:1], glob=False).filter(action="rejected").head(1).collect()
        hint = f"for one, {sample['row'][0]}: {sample['excerpt'][0][:80]!r}" if sample.height else ""
        if sample.height and sample["reason"][0] == "unknown_label":
            hint = f"`task.labels` lists the labels that are known; {sample['row'][0]} carries another"
        raise DataError(f"no row is left of {self.books.read:,}: {told}", at=self.opened[0].source.path, hint=hint)

    def _judge(self, artefact: Artefact, named: tuple[str, Reduce], survey: dict[str, int]) -> None:
        name, step = named
        if step.removes_copies and self.with_copies is None:
            self.with_copies = self.table
        self.key = digest.of_json([self.key, step.model_dump(mode="json"), code_of(type(step))])
        place = self.store.artefact("verdicts", self.key)
        verdicts = place.folder / "verdicts.parquet"
        if not place.whole:
            groups = self.crew.grouped(step, self.table, survey, place, title=f"Keys: {name}")
            with self.context.stage(f"Comparing: {name}"), told_as(DataError, name):
                count = write_verdicts(step.judge(groups), verdicts, name)
            place.seal({"verdicts": count})
        self.pending = (name, step, verdicts, place.facts()["verdicts"])

    def result(self) -> Curated:
        """What came out."""
        assert self.books is not None
        return Curated(
            table=self.table,
            books=self.books,
            parts=tuple(self.counts),
            ledger=tuple(self.ledger),
            opened=self.opened,
            seconds=tuple(self.seconds),
            facts=self.first,
            with_copies=self.with_copies,
            schema=self.schema,
            key=self.key,
        )


def _source_key(one: Opened) -> list[Any]:
    files = [[file.name, file.sha256] for file in one.scan.files]
    return [one.part, one.name, one.source.model_dump(mode="json"), files, one.scan.settings]


def _with_unmet(second: Second, part: str, artefact: Artefact, units: int) -> Second:
    """With a note of how many of its rows no row of a pass met."""
    shards = [artefact.folder / f"met-{index:06}.parquet" for index in range(units)]
    met = pl.scan_parquet([shard for shard in shards if shard.exists()], glob=False).filter(part=part)
    unmet = second.usable - int(met.select(pl.col("met").n_unique()).collect(engine="streaming").item())
    return replace(second, notes=(*second.notes, f"{unmet:,} of its {second.usable:,} keys were met by no row"))


def _intact(artefact: Artefact) -> bool:
    """Whether a pass that is said to be whole still holds all of its rows."""
    try:
        facts = artefact.facts()
        places = range(facts["units"])
        rows = sum(pq.read_metadata(artefact.folder / f"rows-{place:06}.parquet").num_rows for place in places)
        ledger = [pq.read_metadata(artefact.folder / f"ledger-{place:06}.parquet") for place in places]
    except (OSError, ValueError, KeyError):
        return False
    return bool(rows == facts.get("rows", 0) and len(ledger) == facts["units"])


def why_rejected(books: Books, most: int = 3) -> str:
    """The parts and reasons that rejected the most rows, in words; empty where none was rejected."""
    found = ((n, part, why) for part, reasons in books.rejected.items() for why, n in reasons.items())
    return "; ".join(f"{part} rejected {n:,} ({why})" for n, part, why in sorted(found, reverse=True)[:most])


def lock_of(curated: Curated) -> list[dict[str, Any]]:
    """The digests of every input."""
    scans = [*((one.name, one.scan) for one in curated.opened), *((name, two.scan) for name, two in curated.seconds)]
    return [
        {"source": name, "file": file.name, "bytes": file.size, "sha256": file.sha256}
        for name, scan in scans
        for file in scan.files
    ]
