"""Measures pieces of a table by workers, and puts them together in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.errors import DataError, told_as
from seedbed.core.rows import ROW, number_rows
from seedbed.core.source import Block
from seedbed.engine.jobs import Opened, conform
from seedbed.engine.workers import Workers
from seedbed.profile.measuring import Measurer, Plan

#: Rows of a piece of a Parquet file.
PIECE = 100_000
#: Columns by which one block more is measured at a time, and blocks that are at most.
_WIDE, _MOST_BLOCKS = 100, 8


@dataclass(frozen=True)
class MeasureBlocks:
    """Parses blocks of a source and measures them together, in slices of so many rows."""

    plan: Plan
    opened: Opened
    schema: pl.Schema
    batch: int

    def __call__(self, blocks: Sequence[Block]) -> Measurer:
        """Do some blocks that follow each other."""
        parsed = [self._parsed(block) for block in blocks]
        rows = pl.concat([rows for rows, _ in parsed])
        malformed = pl.concat([reasons for _, reasons in parsed])
        found = Measurer(self.plan)
        for start in range(0, max(rows.height, 1), self.batch):
            found.add(rows.slice(start, self.batch), None if start else malformed)
        return found

    def _parsed(self, block: Block) -> tuple[pl.DataFrame, pl.Series]:
        """Rows of a block, and why further records are none."""
        file = self.opened.scan.files[block.file]
        with told_as(DataError, file.name, about=f"records from {block.first_record}"):
            parsed = self.opened.source.parse(block, self.opened.scan)
        rows = number_rows(
            conform(parsed.table, self.opened.renames, self.schema),
            file_number=self.opened.first_file + block.file,
            source=self.opened.name,
            file=file.name,
            records=parsed.records,
        )
        return rows, parsed.malformed["reason"]


def together(blocks: Iterable[Block], columns: int) -> Iterator[list[Block]]:
    """Blocks as they are measured: of a wide table, of which a block has few rows, several at a time.

    A batch costs what its columns cost, however few its rows are.
    """
    left = iter(blocks)
    while some := list(itertools.islice(left, min(_MOST_BLOCKS, 1 + columns // _WIDE))):
        yield some


@dataclass(frozen=True)
class Piece:
    """Some rows of a Parquet file."""

    file: Path
    start: int
    rows: int


@dataclass(frozen=True)
class MeasurePiece:
    """Measures rows of a Parquet file."""

    plan: Plan

    def __call__(self, piece: Piece) -> Measurer:
        """Do one piece."""
        names = [ROW, *(one.name for one in self.plan.columns)]
        with told_as(DataError, str(piece.file)):
            rows = pl.scan_parquet(piece.file, glob=False).slice(piece.start, piece.rows).collect()
            if ROW not in rows.columns:
                places = pl.Series(ROW, [f"{piece.file.name}#"]).new_from_index(0, rows.height)
                numbers = pl.int_range(piece.start + 1, piece.start + rows.height + 1, eager=True)
                rows = pl.DataFrame([places + numbers.cast(pl.String), *rows.get_columns()])
        return Measurer(self.plan).add(pl.DataFrame([rows[name] for name in dict.fromkeys(names)]))


def measured(
    plan: Plan, job: Callable[[Any], Measurer], pieces: Iterable[Any], workers: Workers, done: Callable[[Any], None]
) -> Measurer:
    """Measure pieces and put them together in order, whoever is ready first.

    Args:
        plan: What is measured.
        job: Measures a piece.
        pieces: In order.
        workers: Who does it.
        done: Told of each piece that is measured.
    """
    found = Measurer(plan)
    waiting: dict[int, tuple[Any, Measurer]] = {}
    following = 0
    for place, piece, part in workers.run(_Numbered(job), enumerate(pieces)):
        waiting[place] = (piece, part)
        while following in waiting:
            measured_piece, one = waiting.pop(following)
            found.merge(one)
            done(measured_piece)
            following += 1
    return found


@dataclass(frozen=True)
class _Numbered:
    job: Callable[[Any], Measurer]

    def __call__(self, numbered: tuple[int, Any]) -> tuple[int, Any, Measurer]:
        place, piece = numbered
        part = self.job(piece)
        return place, _light(piece), part


def _light(piece: Any) -> Any:
    """What a piece was, without the bytes that it carried here."""
    return piece.rows if isinstance(piece, Piece) else sum(block.size for block in piece)


def pieces_of(file: Path, rows: int) -> Iterator[Piece]:
    """A Parquet file in pieces."""
    for start in range(0, rows, PIECE):
        yield Piece(file, start, min(PIECE, rows - start))
