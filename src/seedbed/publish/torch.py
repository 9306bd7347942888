"""What PyTorch's loaders read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from seedbed.core.exporter import Rows
from seedbed.core.part import Example

from .files.arrow_types import as_arrow, read_as, refuse_what_arrow_lacks
from .files.described import described
from .files.splits import Splits


class Torch(Splits):
    """Write each split as Parquet files for datasets that know of PyTorch's workers.

    `from seedbed.publish.loading.torch import MapRows, StreamRows` reads them.
    `MapRows(folder)` is a map-style dataset for `torch.utils.data.DataLoader`, `StreamRows(folder)` an iterable one:
    workers share the groups of rows out among them, so that each row comes once, and `state_dict()` says how far it
    came. A row is a dictionary; with `pairs=True` it is its text and the number of its label, by the run's own order of
    labels.

    ## Why
    An iterable dataset that does not know of workers gives every row once for each of them, which nothing tells.

    ## Limits
    The files can be read by anything that reads Parquet, the loaders need PyTorch. As many workers can share the work
    of `StreamRows` as there are groups. Ranks of a distributed training share nothing out by themselves: give each
    its `rank` and `ranks`. Whole numbers of 128 bits are refused. Categories come back as texts.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Files of two rows",
            options={"path": "out/torch", "group_rows": 1, "file_rows": 2, "row_ids": False},
            before={"text": ["good", "bad", "so"], "label": ["pos", "neg", "neg"]},
            after={
                "train/00000.parquet": [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}],
                "train/00001.parquet": [{"text": "so", "label": "neg"}],
            },
        ),
    )

    use: Literal["torch"] = "torch"
    group_rows: int = Field(2_000, ge=1, description="Rows of a group: what a worker takes at once.")
    file_rows: int = Field(1_000_000, ge=1, description="Most rows of a file.")

    def write(self, rows: Rows, target: Path) -> None:
        """Write the files."""
        refuse_what_arrow_lacks(rows.schema, self.use)
        schema = as_arrow(pl.DataFrame(schema=rows.schema)).schema
        target.mkdir()
        writer: pq.ParquetWriter | None = None
        files = written = 0
        try:
            for group in _groups(rows, self.group_rows):
                if writer is None or written + group.height > self.file_rows:
                    if writer is not None:
                        writer.close()
                    writer = pq.ParquetWriter(target / f"{files:05}.parquet", schema, compression="zstd")
                    files, written = files + 1, 0
                writer.write_table(as_arrow(group).cast(schema))
                written += group.height
        finally:
            if writer is not None:
                writer.close()

    def more(self, files: Mapping[str, Rows]) -> dict[str, Any]:
        """What a row is made into a pair by."""
        rows = next(iter(files.values()))
        return {"labels": list(rows.labels), "task": dict(rows.task)}

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`."""
        schema = described(path, "torch").schema
        return read_as(schema, lambda: _held(path), at=str(path))


def _held(folder: Path) -> Iterator[pa.RecordBatch]:
    for path in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches()


def _groups(rows: Rows, size: int) -> Iterator[pl.DataFrame]:
    waiting = pl.DataFrame(schema=rows.schema)
    for batch in rows.batches():
        waiting = waiting.vstack(batch)
        while waiting.height >= size:
            yield waiting[:size].rechunk()
            waiting = waiting[size:]
    if waiting.height:
        yield waiting.rechunk()
