"""Answers of a database as Parquet files: a row group is what is read at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.errors import DataError

#: Most rows of a row group.
_ROWS = 1 << 16


def packed(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file with one row group; the same for the same rows."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=max(table.num_rows, 1))
    return sink.getvalue()


def write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> list[int]:
    """Write batches; the rows of each row group."""
    groups: list[int] = []
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS):
                piece = batch.slice(start, _ROWS)
                writer.write_batch(piece.cast(schema), row_group_size=piece.num_rows)
                groups.append(piece.num_rows)
    return groups


def read(path: Path, group: int, *, at: str) -> pl.DataFrame:
    """The rows of a row group.

    Raises:
        DataError: The file is not there any more, or damaged.
    """
    with _told(at), pq.ParquetFile(path, pre_buffer=False) as opened:
        return pl.DataFrame(pl.from_arrow(opened.read_row_group(group)))


def schema_of(path: Path, *, at: str) -> pa.Schema:
    """The columns of a file; raises as `read` does."""
    with _told(at):
        return pq.read_schema(path)


class _told:
    def __init__(self, at: str) -> None:
        self._at = at

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, pa.ArrowException | OSError):
            hint = "a run without --offline fetches it again"
            raise DataError("what was kept is damaged or gone from the store", at=self._at, hint=hint) from None


def polars_schema(schema: pa.Schema) -> pl.Schema:
    """The same columns, as rows have them."""
    return pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
