"""The passes of a curation, one after the other: units of rows in the store, verdicts between, books throughout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import polars as pl
import xxhash

from seedbed.core import digest
from seedbed.core.errors import BooksError, DataError, told_as
from seedbed.core.ledger import Books
from seedbed.core.numbers import things, word
from seedbed.core.part import Part
from seedbed.core.rows import NUMBER, as_json
from seedbed.core.run import StepRecord
from seedbed.core.source import Block, Source
from seedbed.core.step import Reduce, Rework, Second
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.store.store import Artefact, Store

from .grouping import write_verdicts
from .jobs import LEDGER, MET, ROWS, Opened, Pass, ReadJob, ShardJob, verdicts_between
from .kernel import Kernel
from .plan import TASK, Leg
from .provenance import code_of, versions
from .units import Crew, Done, Unit, keys_of


@dataclass(frozen=True)
class Verdicts:
    """What a whole-table step said; the next pass applies it."""

    part: str
    use: str
    path: Path
    count: int


#: Files of at most so many bytes are done by the handful, of about so many.
_SMALL, _HANDFUL = 1 << 17, 16


@dataclass
class Passes:
    """Rows on their way through the legs of a recipe."""

    opened: tuple[Opened, ...]
    schema: pl.Schema
    task: Task
    crew: Crew
    changes: Literal["sample", "all"]
    table: Table = field(default_factory=lambda: Table(()))
    """The rows as the last pass left them."""
    key: str = ""
    """Digest of everything that they were made from."""
    books: Books = field(default_factory=Books)
    counts: list[StepRecord] = field(default_factory=list)
    ledger: list[tuple[Path, ...]] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    """Sums over the rows as read."""
    seconds: list[tuple[str, Second]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What steps have to say when all rows have passed, a sentence each."""
    with_copies: Table | None = None
    pending: Verdicts | None = None

    def go(self, leg: Leg) -> None:
        """Do the pass of one leg, then the keys and verdicts of the step that ends it."""
        reading = not self.key
        self.key = key_after(self.key, leg, self)
        artefact = self._store.artefact("passes", self.key)
        done = self._read(artefact, leg) if reading else self._apply(artefact, leg)
        self._account(done, leg, reading)
        if leg.ends_with:
            self._judge(*leg.ends_with, done.facts.get("survey", {}))

    @property
    def _store(self) -> Store:
        return Store.of(self.crew.context)

    def as_pass(self, leg: Leg) -> Pass:
        """What a leg does to batches."""
        kernel = Kernel(leg.steps, self.task.shown, self.changes, self.task.following())
        survey = dict(leg.ends_with[1].survey()) if leg.ends_with else {}
        return Pass(kernel, self.crew.context.batch, survey)

    def _read(self, artefact: Artefact, leg: Leg) -> Done:
        job = self.reading(leg)
        size = float(sum(file.size for one in self.opened for file in one.scan.files))
        try:
            title = _title("Reading", leg)
            return self.crew.work(artefact, job, self.blocks(leg), title=title, total=size, unit="B")
        except DataError:  # of a file that has changed, what was done so far must not be taken up again
            artefact.forget()
            raise

    def reading(self, leg: Leg) -> ReadJob:
        """What is done to blocks in the first leg."""
        return ReadJob(self.as_pass(leg), self.opened, self.schema, *self.watched)

    @property
    def watched(self) -> tuple[str | None, str | None]:
        """The columns whose lengths and values are counted as read."""
        return self.task.shown, self.task.answer if self.task.says == "label" else None

    def blocks(self, leg: Leg) -> Iterator[Unit]:
        """The sources' blocks."""
        for which in range(len(self.opened)):
            yield from self.blocks_of(leg, which)

    def blocks_of(self, leg: Leg, which: int) -> Iterator[Unit]:
        """A source's blocks. A key says what a block holds and where it stands, but not what else its file holds."""
        done = [_done_by(leg, self.changes, [one.source for one in self.opened]), list(self.watched)]
        columns = list(map(str, self.schema.items()))
        one = self.opened[which]
        options = one.source.model_dump(mode="json", exclude=set(one.source.not_parsed))
        of_source = digest.of_json([done, columns, one.part, one.name, dict(one.renames), options])

        def keyed() -> Iterator[tuple[str, Block, bool]]:
            for block in self.crew.blocks(one.source, one.scan):
                file = one.scan.files[block.file]
                stands = [one.first_file + block.file, file.name, block.first_record, block.first_line]
                key = digest.of_json([of_source, stands, one.source.heeds(block, one.scan)])
                yield key, block, file.size <= block.size <= _SMALL

        for keys, blocks in together(keyed()):
            key = keys[0] if len(keys) == 1 else digest.of_json(keys)
            yield Unit(key, (which, tuple(blocks)), float(sum(block.size for block in blocks)))

    def _apply(self, artefact: Artefact, leg: Leg) -> Done:
        told = self.pending
        job = ShardJob(self.as_pass(leg), told.path if told else None, told.part if told else "")
        done = digest.of_json([_done_by(leg, self.changes, []), told and told.part])

        def units() -> Iterator[Unit]:
            for shard, made_of in zip(self.table.shards, keys_of(self.table.shards), strict=True):
                yield Unit(digest.of_json([done, made_of, told and verdicts_on(shard, told.path)]), shard)

        title, shards = _title("Applying", leg), len(self.table.shards)
        return self.crew.work(artefact, job, units(), title=title, total=shards, unit="shards")

    def _account(self, done: Done, leg: Leg, reading: bool) -> None:
        facts = done.facts
        rejected = facts.get("rejected", {})
        books = Books(
            read=facts.get("read", 0), kept=facts.get("rows", 0), changed=facts.get("changed", {}), rejected=rejected
        )
        books.check(at=f"pass {self.key[:32]}")
        rows = books.read
        if reading:
            told = ("sources", "labels", "other_labels", "lengths", "remarks")
            self.first = {key: facts.get(key, {}) for key in told}
            for one in self.opened:
                bad = rejected.get(one.part, {})
                rows = self._count(one.part, one.source.use, rows, rows - sum(bad.values()), rejected=bad)
        if self.pending:
            gone = rejected.get(self.pending.part, {})
            lifted = facts.get("lifted", {}).get(self.pending.part, 0)  # of rows that people rescued
            if sum(gone.values()) + lifted != self.pending.count:
                told_of = f"{self.pending.count} verdicts rejected {sum(gone.values())} rows"
                raise BooksError(told_of, at=self.pending.part)
            rows = self._count(self.pending.part, self.pending.use, rows, rows - sum(gone.values()), rejected=gone)
        for name, step in leg.steps:
            out = facts.get("rows_out", {}).get(name, 0)
            gone, changed = rejected.get(name, {}), books.changed.get(name, 0)
            rows = self._count(name, step.use, rows, out, rejected=gone, changed=changed)
            second = step.second()
            if second is not None:
                self.seconds.append((name, _with_unmet(second, name, done)))
            if isinstance(step, Rework):
                self.remarks += [f"{name}: {said}" for said in step.remarks(partial(_met, done, name))]
        self.books = books if reading else self.books.then(books)
        self.books.check(at="the run so far")
        self.table = Table(done.files(ROWS))
        self.ledger.append(done.files(LEDGER))
        self.pending = None
        self._still_rows()

    def _count(self, part: str, use: str, rows: int, left: int, *, rejected: dict[str, int], changed: int = 0) -> int:
        """Note what a part did to so many rows; those that are left."""
        record = StepRecord(part=part, use=use, rows_in=rows, rows_out=left, changed=changed, rejected=rejected)
        self.counts.append(record)
        return left

    def _still_rows(self) -> None:
        if self.books.kept:
            return
        if not self.books.read:
            raise DataError("the sources hold no rows", at=", ".join(one.source.address for one in self.opened))
        told = why_rejected(self.books)
        sample = pl.scan_parquet(list(self.ledger[0][:1]), glob=False).filter(action="rejected").head(1).collect()
        hint = f"for one, {sample['row'][0]}: {sample['excerpt'][0][:80]!r}" if sample.height else ""
        if sample.height and sample["reason"][0] == "unknown_label":
            hint = f"`task.labels` lists the labels that are known; {sample['row'][0]} carries another"
        raise DataError(f"no row is left of {self.books.read:,}: {told}", at=self.opened[0].source.address, hint=hint)

    def _judge(self, name: str, step: Reduce, survey: dict[str, int]) -> None:
        if step.removes_copies and self.with_copies is None:
            self.with_copies = self.table
        self.key = key_judged(self.key, step)
        place = self._store.artefact("verdicts", self.key)
        verdicts = place.folder / "verdicts.parquet"
        if not place.intact:
            place.done.unlink(missing_ok=True)  # damaged: compare again
            groups = self.crew.grouped(step, self.table, survey, place, title=f"Keys: {name}")
            with self.crew.context.stage(f"Comparing: {name}"), told_as(DataError, name):
                count = write_verdicts(step.judge(groups), verdicts, name)
            place.seal({"verdicts": count}, verdicts.name)
        self.pending = Verdicts(name, step.use, verdicts, place.facts()["verdicts"])
        self.seconds += [(name, second) for second in step.seconds()]


def together(keyed: Iterable[tuple[str, Block, bool]]) -> Iterator[tuple[list[str], list[Block]]]:
    """Blocks with their keys: small files by the handful, for each unit has its cost; others alone.

    Where a handful ends depends on the keys of its blocks (a key in `_HANDFUL` ends one) and on how many they are. So
    files that come between others leave the handfuls further on as they were, where the number of a file stays.

    Args:
        keyed: Each block's key, the block, and whether it is a small file, whole.
    """
    keys: list[str] = []
    blocks: list[Block] = []
    for key, block, small in keyed:
        if blocks and not small:
            yield keys, blocks
            keys, blocks = [], []
        keys.append(key)
        blocks.append(block)
        if not small or int(key[:8], 16) % _HANDFUL == 0 or len(blocks) == 4 * _HANDFUL:
            yield keys, blocks
            keys, blocks = [], []
    if blocks:
        yield keys, blocks


def key_after(before: str, leg: Leg, passes: Passes) -> str:
    """The key of the rows after a leg's pass; known before it is done."""
    if before:
        return digest.of_json([before, _done_by(leg, passes.changes, [])])
    sources = [_source_key(one) for one in passes.opened]
    columns = list(map(str, passes.schema.items()))
    return digest.of_json([sources, columns, _done_by(leg, passes.changes, [one.source for one in passes.opened])])


def key_judged(before: str, step: Reduce) -> str:
    """The key of a whole-table step's verdicts; known before there are any."""
    return digest.of_json([before, step.model_dump(mode="json"), step.made_from(), code_of(type(step))])


def why_rejected(books: Books, most: int = 3) -> str:
    """The parts and reasons that rejected the most rows, in words; empty where none was rejected."""
    found = ((n, part, why) for part, reasons in books.rejected.items() for why, n in reasons.items())
    return "; ".join(f"{part} rejected {n:,} ({why})" for n, part, why in sorted(found, reverse=True)[:most])


def _done_by(leg: Leg, changes: str, sources: list[Source]) -> list[Any]:
    """What is done to rows in a pass: options, code and versions."""
    named: list[Any] = [[name, step.model_dump(mode="json"), step.made_from()] for name, step in leg.steps]
    ends_with = leg.ends_with and leg.ends_with[1].model_dump(mode="json")
    parts: list[Part] = [*(step for _, step in leg.steps), *sources]
    return [changes, named, ends_with, code_of(*(type(part) for part in parts)), versions()]


def _source_key(one: Opened) -> list[Any]:
    files = [[file.name, file.sha256] for file in one.scan.files]
    return [one.part, one.name, one.source.model_dump(mode="json"), files, one.scan.settings]


def verdicts_on(shard: Path, verdicts: Path) -> str:
    """A digest of the verdicts on the rows of a shard; empty where there are none."""
    ends = pl.scan_parquet(shard, glob=False).select(low=pl.min(NUMBER), high=pl.max(NUMBER))
    low, high = ends.collect().row(0)
    if low is None:
        return ""
    found = as_json(verdicts_between(verdicts, low, high))
    return xxhash.xxh3_128_hexdigest("\n".join(found).encode()) if len(found) else ""


def _title(doing: str, leg: Leg) -> str:
    names = [name for name, _ in leg.steps if name != TASK]
    return doing + (f": {', '.join(names)}" if names else "")


def _with_unmet(second: Second, part: str, done: Done) -> Second:
    """With a note of how many of its rows no row of a pass met."""
    unmet = second.usable - _met(done, part).len()
    told = f"{unmet:,} of its {things(second.usable, 'key')} {word(unmet, 'was', 'were')} met by no row"
    return replace(second, notes=(*second.notes, told))


def _met(done: Done, part: str) -> pl.Series:
    """What the work of a part met in a pass, each number once."""
    shards = [shard for shard in done.files(MET) if shard.exists()]
    if not shards:
        return pl.Series("met", [], dtype=pl.UInt32)
    met = pl.scan_parquet(shards, glob=False).filter(part=part).select(pl.col("met").unique())
    return met.collect(engine="streaming").to_series()
