"""A table is a list of Parquet shards, in row order, that is read as a stream of batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Table:
    """Rows on disk. Each shard is sorted by `NUMBER`, and shards follow each other."""

    shards: tuple[Path, ...]

    @cached_property
    def schema(self) -> pl.Schema:
        """Columns and their types."""
        return pl.Schema(pl.read_parquet_schema(self.shards[0])) if self.shards else pl.Schema()

    @cached_property
    def height(self) -> int:
        """Rows."""
        return sum(pq.read_metadata(shard).num_rows for shard in self.shards)

    def scan(self) -> pl.LazyFrame:
        """The rows, lazily."""
        if not self.shards:
            return pl.LazyFrame()
        return pl.scan_parquet(list(self.shards), glob=False)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows, a shard at a time."""
        for shard in self.shards:
            yield pl.read_parquet(shard, columns=list(columns) if columns is not None else None, glob=False)
