"""Rows as they were read, before any step: for examples, and for telling a row's story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.source import Block, Parsed

from .jobs import Opened, conform


def raw_rows(opened: Sequence[Opened], schema: pl.Schema, numbers: pl.Series, context: Context) -> pl.DataFrame:
    """Some rows with the run's columns, as the sources hold them; reads no further than the last of them.

    Args:
        opened: The sources.
        schema: The run's columns.
        numbers: `NUMBER` of the rows.
        context: As it was when the rows were read.
    """
    left = set(numbers.to_list())
    found = [pl.DataFrame(schema={NUMBER: pl.UInt64(), ROW: pl.String(), **schema})]
    for one in opened:
        for block in one.source.blocks(one.scan, context):
            if not left:
                break
            rows = _rows_of(one, block, one.source.parse(block, one.scan), schema).filter(
                pl.col(NUMBER).is_in(list(left))
            )
            left -= set(rows[NUMBER].to_list())
            found.append(rows)
    return pl.concat(found)


@dataclass(frozen=True)
class Found:
    """One record of a source."""

    row: pl.DataFrame
    """The row with the run's columns and its identity; none where the record is malformed."""
    line: int | None
    """Line of the file that it begins on, where that can be told."""


def read_record(one: Opened, file: int, record: int, schema: pl.Schema, context: Context) -> Found | None:
    """A record as its source holds it; none where the source holds no such record. One block is parsed.

    Args:
        one: The source.
        file: Place of the file among the source's files, from 0.
        record: Number of the record in its file, from 1.
        schema: The run's columns.
        context: As it was when the rows were read.
    """
    block = _block_with(one, file, record, context)
    if block is None:
        return None
    parsed = one.source.parse(block, one.scan)
    rows = _rows_of(one, block, parsed, schema)
    bad = parsed.malformed.filter(pl.col("record") == record)
    row = rows.filter(parsed.records == record)
    if not row.height and not bad.height:
        return None
    return Found(row, bad["line"][0] if bad.height else _line(block, parsed, record))


def _rows_of(one: Opened, block: Block, parsed: Parsed, schema: pl.Schema) -> pl.DataFrame:
    return number_rows(
        conform(parsed.table, one.renames, schema),
        file_number=one.first_file + block.file,
        source=one.name,
        file=one.scan.files[block.file].name,
        records=parsed.records,
    )


def _block_with(one: Opened, file: int, record: int, context: Context) -> Block | None:
    """The last block that begins at or before a record."""
    found = None
    for block in one.source.blocks(one.scan, context):
        if (block.file, block.first_record) > (file, record):
            break
        found = block if block.file == file else found
    return found


def _line(block: Block, parsed: Parsed, record: int) -> int | None:
    """The line that a record begins on, if the block's lines are those of its records and no others."""
    if not isinstance(block.payload, bytes):
        return None
    lines = block.payload.strip(b"\n").count(b"\n") + 1
    last = max([0, *parsed.records.tail(1), *parsed.malformed["record"].tail(1)])
    records = last - block.first_record + 1
    if lines == records:
        return block.first_line + record - block.first_record
    texts = [name for name, kind in parsed.table.schema.items() if kind == pl.String]
    breaks = parsed.table.select(pl.sum_horizontal(pl.col(texts).str.count_matches("\n")).alias("n"))["n"]
    if lines != records + int(breaks.sum()):
        return None
    before = int(breaks.filter(parsed.records < record).sum())
    return block.first_line + record - block.first_record + before
