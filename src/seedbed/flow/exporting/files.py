"""Any file as a stream of rows; what cannot be read of it goes into a file of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson
import polars as pl

from seedbed.core.context import Context, Stage
from seedbed.core.errors import DataError, told_as
from seedbed.core.exporter import BATCH, Exporter, FileFormat, Rows
from seedbed.core.numbers import things
from seedbed.core.source import Block, Parsed, Scan, Source
from seedbed.engine.jobs import conform
from seedbed.engine.plan import usable_names
from seedbed.flow.recognising import recognise
from seedbed.sources import Csv, Pickle
from seedbed.sources.reading.files import is_local, local_path

_PICKLES = (".pkl", ".pickle")


@dataclass
class Passed:
    """What came by."""

    rows: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    """Records that are no rows, by reason."""
    first: str = ""
    """The first of them: its file and place."""


@dataclass(frozen=True)
class Opened:
    """A file that can be read."""

    rows: Rows
    passed: Passed
    read_as: str
    notes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    """Columns of texts that look like numbers: a CSV says of none what it is."""


def open_file(named: str, rejected: Path, context: Context, *, trust: bool) -> Opened:
    """A file as rows: by the format that wrote it, where a schema beside it says so, else by the source of its kind.

    Args:
        named: File, folder, glob or URL, relative to the context's `base`.
        rejected: Where records go that cannot be read, as JSON lines; it is made when the first one comes.
        context: Shows progress.
        trust: Whether a pickle is loaded that another program wrote.

    Raises:
        DataError: Nothing is there, or it cannot be read.
    """
    passed = Passed()
    if is_local(named) and (found := _written_here(local_path(named, context.base))):
        use, rows = found
        return Opened(_counted(rows, passed), passed, use)
    notes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    if trust and named.lower().endswith(_PICKLES):
        source: Source = Pickle(path=named, trust=True)
        scan = source.scan(context)
    else:
        try:
            seen = recognise(named, context)
        except DataError as error:
            if "is a pickle" in error.problem:
                error.hint = "if you know who made it, say --trust"
            raise
        source, scan, notes = seen.source, seen.scan, seen.notes
        numbers = tuple(_numbers(seen.sample.rows)) if isinstance(source, Csv) else ()
    names = usable_names(scan.schema.names())
    schema = pl.Schema({name: scan.schema[old] for name, old in names.items()})
    rows = Rows(schema, lambda: _rows(source, scan, names, passed, rejected, context))
    return Opened(rows, passed, source.use, (*notes, *scan.notes), numbers)


def _numbers(sample: pl.DataFrame) -> Iterator[str]:
    """Columns of which every value in a sample reads as a number, and none begins with a 0 that would be lost."""
    for column in sample:
        known = column.drop_nulls().str.strip_chars() if column.dtype == pl.String else column.clear()
        counts = known.cast(pl.Float64, strict=False).is_finite().fill_null(False) & ~known.str.contains(r"^[+-]?0\d")
        if known.len() and counts.all():
            yield column.name


def _written_here(path: Path) -> tuple[str, Rows] | None:
    for use, part in Exporter.catalogue.items():
        if issubclass(part, FileFormat) and part.knows(path):
            part.check_needs()
            return use, part.read(path)
    return None


def _counted(rows: Rows, passed: Passed) -> Rows:
    def batches() -> Iterator[pl.DataFrame]:
        passed.rows = 0
        for batch in rows.batches():
            passed.rows += batch.height
            yield batch

    return Rows(rows.schema, batches)


def _rows(
    source: Source, scan: Scan, names: Mapping[str, str], passed: Passed, rejected: Path, context: Context
) -> Iterator[pl.DataFrame]:
    """The rows; counts and rejected records are those of the last time that they were asked for."""
    passed.rows, passed.first = 0, ""
    passed.malformed.clear()
    rejected.unlink(missing_ok=True)
    schema = pl.Schema({name: scan.schema[old] for name, old in names.items()})
    with context.stage("Reading", sum(file.size for file in scan.files), "B") as stage:
        for block in source.blocks(scan, context):
            parsed = _parsed(source, block, scan)
            table = conform(parsed.table, names, schema)
            _reject(parsed, scan.files[block.file].name, passed, rejected)
            for start in range(0, table.height, BATCH):
                batch = table.slice(start, BATCH)
                passed.rows += batch.height
                yield batch
            _advance(stage, block, passed)


def _advance(stage: Stage, block: Block, passed: Passed) -> None:
    stage.advance(block.size, things(passed.rows, "row"))


def _parsed(source: Source, block: Block, scan: Scan) -> Parsed:
    with told_as(DataError, scan.files[block.file].name, about=f"records from {block.first_record}"):
        return source.parse(block, scan)


def _reject(parsed: Parsed, name: str, passed: Passed, rejected: Path) -> None:
    if not parsed.malformed.height:
        return
    with rejected.open("ab") as file:
        for one in parsed.malformed.iter_rows(named=True):
            passed.first = passed.first or f"{name}, record {one['record']}, line {one['line']}"
            passed.malformed[one["reason"]] += 1
            _write(file, {"file": name, **one})


def _write(file: BinaryIO, record: dict[str, object]) -> None:
    file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
