"""A table that is in memory, cut into blocks that carry their rows (Arrow's stream format)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import polars as pl

from seedbed.core.source import Block, Parsed

#: Rows of a block.
ROWS = 1 << 16


def blocks_of(table: pl.DataFrame, file: int, size: int, left: int | None, rows: int = ROWS) -> Iterator[Block]:
    """Blocks of a table.

    Args:
        table: The rows.
        file: Place of the file that they are.
        size: Bytes of that file, for progress.
        left: Most rows; all when none.
        rows: Most rows of a block.
    """
    height = table.height if left is None else min(left, table.height)
    for start in range(0, height, rows):
        some = table.slice(start, min(rows, height - start))
        some.write_ipc_stream(held := io.BytesIO(), compression="uncompressed")
        part = size * (start + some.height) // table.height - size * start // table.height
        yield Block(file, start + 1, start + 1, part, held.getvalue())


def rows_of(block: Block, schema: pl.Schema) -> Parsed:
    """Rows of a block."""
    rows = pl.read_ipc_stream(io.BytesIO(block.payload))
    records = pl.int_range(block.first_record, block.first_record + rows.height, dtype=pl.UInt64, eager=True)
    return Parsed(pl.DataFrame([rows[name].cast(kind) for name, kind in schema.items()]), records)
