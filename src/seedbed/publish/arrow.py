"""Arrow files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa

from seedbed.core.exporter import Rows
from seedbed.core.part import Example

from .files.arrow_types import as_arrow, read_as, refuse_what_arrow_lacks, schema_of
from .files.splits import Splits


class Arrow(Splits):
    """Write each split as one Arrow file (the IPC file format, also known as Feather version 2).

    Not compressed, in batches of 8,192 rows.

    ## Why
    It is what the rows are in memory: a reader maps the file and copies nothing.

    ## Limits
    Larger than Parquet. Whole numbers of 128 bits are refused. Categories come back as texts.
    """

    ending: ClassVar[str] = ".arrow"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Types stay",
            options={"path": "out/arrow", "row_ids": False},
            before={"text": ["good", None], "stars": [5, 1]},
            after={"train.arrow": [{"text": "good", "stars": 5}, {"text": None, "stars": 1}]},
        ),
    )

    use: Literal["arrow"] = "arrow"

    def write(self, rows: Rows, target: Path) -> None:
        """Write rows, batch by batch."""
        refuse_what_arrow_lacks(rows.schema, self.use)
        schema = as_arrow(pl.DataFrame(schema=rows.schema)).schema
        with target.open("wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in rows.batches():
                writer.write_table(as_arrow(batch).cast(schema))

    def loses(self, rows: Rows, held: Collection[str]) -> bool:
        """Nothing is lost."""
        return False

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`."""
        schema = schema_of(path, "arrow", pl.read_ipc_schema)
        return read_as(schema, lambda: _held(path), at=str(path))


def _held(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as held, pa.ipc.open_file(held) as reader:
        for place in range(reader.num_record_batches):
            yield reader.get_batch(place)
