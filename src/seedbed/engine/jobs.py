"""What one worker does with one unit: blocks of a source, or a shard of the pass before.

A job is given the unit's folder, writes its files there (`ROWS`, `LEDGER`, `MET`, or `KEYS`) and returns its counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from seedbed.core.errors import DataError, told_as
from seedbed.core.ledger import STORED_LEDGER_SCHEMA, count_rejected
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.source import Block, Scan, Source
from seedbed.core.step import Reduce
from seedbed.core.values import said
from seedbed.store.store import arriving

from .entries import malformed_entries, reject, rescued
from .kernel import Kernel
from .sparing import Spared
from .workers import Facts, add_up

#: Bin edges of text lengths in characters, for the histograms before and after.
LENGTH_EDGES = (0, 10, 20, 40, 60, 80, 100, 120, 140, 160, 200, 300, 500, 1000, 2000, 5000)
_MOST_LABELS = 1000
#: Rows of a row group: so much is read of the verdicts on a shard, which are few among many.
_GROUP = 20_000

#: Files of a unit.
ROWS, LEDGER, MET, KEYS = "rows.parquet", "ledger.parquet", "met.parquet", "keys.parquet"
#: Which of its rows are spared, and by whom (`SPARED_SCHEMA`), where any is.
SPARED = "spared.parquet"


@dataclass(frozen=True)
class Opened:
    """A source that was scanned, and how its rows are named."""

    source: Source
    scan: Scan
    part: str
    """Its name in the ledger."""
    name: str
    """Its name in row ids."""
    first_file: int
    """Place of its first file among all files of the run."""
    renames: Mapping[str, str]
    """Columns to take, as NEW: OLD."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the source, in sentences."""
        hidden = self.renames.items() if self.source.columns is None else ()
        told = (
            f"column {old!r} is read as {new!r}, because {old!r} "
            + (
                "is the rows' own id"
                if old in (ROW, NUMBER)
                else "means several columns"
                if _is_name(old)
                else "is no name"
            )
            for new, old in hidden
            if new != old
        )
        return (*self.scan.notes, *told)


def _is_name(column: str) -> bool:
    return bool(column) and "\0" not in column


@dataclass(frozen=True)
class Pass:
    """What is done to each batch of a pass, whatever it reads. Shards come out as they went in."""

    kernel: Kernel
    batch: int
    survey: Mapping[str, pl.Expr] = field(default_factory=dict)
    """Sums over the kept rows that the next `Reduce` asks for."""

    def finish(
        self, folder: Path, rows: pl.DataFrame, entries: list[pl.DataFrame], facts: Facts, spared: Spared | None = None
    ) -> Facts:
        """Apply the kernel to rows and write the unit's files."""
        spared = spared or Spared()
        kept: list[pl.DataFrame] = []
        rows_out: dict[str, int] = {}
        changed: dict[str, int] = {}
        met: dict[str, list[pl.Series]] = {}
        for start in range(0, max(rows.height, 1), self.batch):
            outcome = self.kernel(rows.slice(start, self.batch), spared)
            kept.append(outcome.kept)
            entries.append(outcome.entries)
            for name, count in outcome.rows_out.items():
                rows_out[name] = rows_out.get(name, 0) + count
            for name, count in outcome.changed.items():
                changed[name] = changed.get(name, 0) + count
            for name, numbers in outcome.met.items():
                met.setdefault(name, []).append(numbers)
        table = pl.concat(kept)
        ledger = pl.concat([pl.DataFrame(schema=STORED_LEDGER_SCHEMA), *entries]).sort(NUMBER, maintain_order=True)
        facts |= {
            "rows": table.height,
            "rows_out": facts.get("rows_out", {}) | rows_out,
            "changed": changed,
            "rejected": {part: dict(reasons) for part, reasons in count_rejected(ledger).items()},
            "survey": _sums(table, self.survey),
            "lifted": spared.lifted,
        }
        _write(table, folder / ROWS)
        _write(ledger, folder / LEDGER)
        if met:
            _write(_told_apart(met), folder / MET)
        left = spared.among(table[NUMBER])
        if left.height:
            _write(left, folder / SPARED)
        return facts


@dataclass(frozen=True)
class ReadJob:
    """Parse blocks of sources and apply the first row-wise steps."""

    then: Pass
    opened: tuple[Opened, ...]
    schema: pl.Schema
    text: str | None = None
    label: str | None = None
    """Columns whose lengths and values are counted as read."""

    def __call__(self, unit: tuple[int, Sequence[Block]], folder: Path) -> Facts:
        """Do blocks of one source that stand one after the other."""
        which, blocks = unit
        rows: list[pl.DataFrame] = []
        entries: list[pl.DataFrame] = []
        facts: Facts = {}
        for block in blocks:
            some, bad, more = self._parsed(self.opened[which], block)
            rows.append(some)
            entries += bad
            facts = add_up(facts, more)
        return self.then.finish(folder, pl.concat(rows), entries, facts)

    def _parsed(self, opened: Opened, block: Block) -> tuple[pl.DataFrame, list[pl.DataFrame], Facts]:
        """The rows of a block, ledger entries of its malformed records, and counts."""
        with told_as(DataError, opened.scan.files[block.file].name, about=f"records from {block.first_record}"):
            parsed = opened.source.parse(block, opened.scan)
        file = opened.first_file + block.file
        name = opened.scan.files[block.file].name
        table = conform(parsed.table, opened.renames, self.schema)
        rows = number_rows(table, file_number=file, source=opened.name, file=name, records=parsed.records)
        bad = parsed.malformed
        entries = []
        if bad.height:
            numbered = number_rows(
                pl.DataFrame(), file_number=file, source=opened.name, file=name, records=bad["record"]
            )
            entries.append(malformed_entries(bad, numbered, opened.part))
        facts = {
            "read": rows.height + bad.height,
            "sources": {opened.name: {"rows": rows.height + bad.height, "malformed": bad.height}},
            **self._labels(rows),
            "lengths": self._lengths(rows),
            "remarks": {opened.name: dict(parsed.remarks)},
        }
        return rows, entries, facts

    def _labels(self, rows: pl.DataFrame) -> Facts:
        """Rows by label (``""`` where there is none), and rows with the labels of a block beyond the most frequent."""
        if self.label is None or self.label not in rows.columns:
            return {"labels": {}, "other_labels": 0}
        counts = (
            rows[self.label]
            .cast(pl.String, strict=False)
            .fill_null("")
            .alias("label")
            .value_counts(name="n")
            .sort("n", "label", descending=[True, False])
        )
        named, others = counts.head(_MOST_LABELS), counts.slice(_MOST_LABELS)
        return {"labels": dict(named.iter_rows()), "other_labels": int(others["n"].sum())}

    def _lengths(self, rows: pl.DataFrame) -> list[int]:
        if self.text is None or self.text not in rows.columns:
            return [0] * len(LENGTH_EDGES)
        return length_counts(rows[self.text])


@dataclass(frozen=True)
class ShardJob:
    """Apply verdicts and row-wise steps to shards of the pass before."""

    then: Pass
    verdicts: Path | None = None
    part: str = ""
    """Whose verdicts they are."""

    def __call__(self, shard: Path, folder: Path) -> Facts:
        """Do one shard."""
        rows = pl.read_parquet(shard, glob=False)
        facts: Facts = {"read": rows.height}
        beside = shard.with_name(SPARED)
        spared = Spared(pl.read_parquet(beside, glob=False)) if beside.exists() else Spared()
        if self.verdicts is None or not rows.height:
            return self.then.finish(folder, rows, [], facts, spared)
        verdicts = verdicts_between(self.verdicts, rows[NUMBER][0], rows[NUMBER][-1]).sort(NUMBER)
        lifted = spared.mask(self.part, verdicts[NUMBER])
        saved = verdicts.filter(lifted)
        told = rescued(rows.filter(pl.col(NUMBER).is_in(saved[NUMBER].to_list())), saved["reason"], self.part, spared)
        rows, entries = reject(rows, verdicts.filter(~lifted), self.part, self.then.kernel.shown)
        return self.then.finish(folder, rows, [entries, told], facts | {"rows_out": {self.part: rows.height}}, spared)


@dataclass(frozen=True)
class KeysJob:
    """Make a `Reduce`'s keys for shards."""

    step: Reduce
    survey: Mapping[str, int]
    batch: int

    def __call__(self, shard: Path, folder: Path) -> Facts:
        """Do one shard."""
        columns = [NUMBER, *dict.fromkeys(self.step.reads())]
        rows = pl.read_parquet(shard, columns=columns, glob=False)
        with told_as(DataError, self.step.use, about=shard.name):
            starts = range(0, max(rows.height, 1), self.batch)
            keys = pl.concat([self.step.keys(rows.slice(at, self.batch), self.survey) for at in starts])
        _write(keys, folder / KEYS)
        return {"keys": keys.height}


def verdicts_between(verdicts: Path, low: int, high: int) -> pl.DataFrame:
    """Verdicts on the rows whose `NUMBER` is in a range, both ends included."""
    return pl.scan_parquet(verdicts, glob=False).filter(pl.col(NUMBER).is_between(low, high)).collect()


def conform(table: pl.DataFrame, renames: Mapping[str, str], schema: pl.Schema) -> pl.DataFrame:
    """The table with the run's columns: renamed, in the run's order and types, null where the source has none."""
    # Series, not expressions: to those a source's column called `*` would mean all of them.
    lacking = pl.Series([None]).new_from_index(0, table.height)
    taken = {new: table[old] for new, old in renames.items()}
    return pl.DataFrame([taken.get(name, lacking).cast(kind).alias(name) for name, kind in schema.items()])


def length_counts(texts: pl.Series) -> list[int]:
    """Rows by length in characters, by the bins of `LENGTH_EDGES`; rows without a text are in none."""
    lengths = said(texts).str.len_chars().drop_nulls()
    bins = lengths.to_frame("n").select(
        pl.sum_horizontal([pl.col("n") >= edge for edge in LENGTH_EDGES]).alias("bin") - 1
    )["bin"]
    counts = dict(bins.value_counts(name="n").iter_rows())
    return [counts.get(place, 0) for place in range(len(LENGTH_EDGES))]


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """Write a file that is there whole or not at all."""
    with arriving(path) as partial:
        _write(table, partial)


def _write(table: pl.DataFrame, path: Path) -> None:
    # To pack rows costs four times as much as to write them, and saves a third of the place until the store is swept.
    table.write_parquet(path, compression="uncompressed" if path.name in (ROWS, KEYS) else "lz4", row_group_size=_GROUP)


def _told_apart(met: Mapping[str, list[pl.Series]]) -> pl.DataFrame:
    """Which rows of second sources were met: `part`, `met`."""
    found = [pl.concat(numbers).unique().alias("met").to_frame() for numbers in met.values()]
    return pl.concat(
        [table.insert_column(0, pl.lit(name).alias("part")) for name, table in zip(met, found, strict=True)]
    )


def _sums(table: pl.DataFrame, survey: Mapping[str, pl.Expr]) -> dict[str, int]:
    if not survey:
        return {}
    totals = table.select([expression.sum().alias(name) for name, expression in survey.items()]).row(0)
    return {name: int(total or 0) for name, total in zip(survey, totals, strict=True)}
