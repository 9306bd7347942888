"""Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.exporter import Rows
from seedbed.core.part import Example

from .files.arrow_types import as_arrow, read_as, refuse_what_arrow_lacks, schema_of
from .files.splits import Splits


class Parquet(Splits):
    """Write each split as one Parquet file.

    Compressed with Zstandard, in groups of rows of some megabytes.

    ## Why
    Columns keep their types, and pandas, Polars, DuckDB, Spark, BigQuery and `datasets` read it as it is. The files of
    the run's own `dataset` folder are Parquet, too; here it is one a split, with the columns and splits one wants.

    ## Limits
    Whole numbers of 128 bits are refused. Categories come back as texts.
    """

    ending: ClassVar[str] = ".parquet"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Only what a model reads",
            options={"path": "out/parquet", "columns": ["text"], "row_ids": False},
            before={"text": ["good", None], "stars": [5, 1]},
            after={"train.parquet": [{"text": "good"}, {"text": None}]},
        ),
    )

    use: Literal["parquet"] = "parquet"

    def write(self, rows: Rows, target: Path) -> None:
        """Write rows, group by group."""
        refuse_what_arrow_lacks(rows.schema, self.use)
        schema = as_arrow(pl.DataFrame(schema=rows.schema)).schema
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for group in _groups(rows.batches()):
                writer.write_table(as_arrow(group).cast(schema))

    def loses(self, rows: Rows, held: Collection[str]) -> bool:
        """Whether a type has another name in Arrow."""
        return any(isinstance(kind, pl.Array) for kind in rows.schema.values())

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`."""
        schema = schema_of(path, "parquet", pl.read_parquet_schema)
        return read_as(schema, lambda: _held(path), at=str(path))


#: Bytes of a group of rows in memory.
_GROUP = 16 << 20


def _groups(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    waiting: list[pl.DataFrame] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += int(batch.estimated_size())
        if held >= _GROUP:
            yield pl.concat(waiting)
            waiting, held = [], 0
    if waiting:
        yield pl.concat(waiting)


def _held(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches()
