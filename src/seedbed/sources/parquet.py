"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.context import Context, conceal
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .frames.arrow_types import as_it_is
from .reading.columns import refuse_other_columns
from .reading.files import changed, failures, find, is_local, open_stored, stamp_of
from .reading.kinds import refuse_other
from .reading.stream import stored_sha256

_WANTED = "a Parquet file"
#: Bytes of a column that are read at a time.
_BUFFER = 1 << 20


@dataclass(frozen=True)
class _Slice:
    """Payload of a block: some rows of a row group."""

    group: int
    offset: int
    rows: int


class Parquet(FileSource):
    """Reads Parquet files, nested types and all.

    ## Why
    Types, nulls and nesting are in the file, so nothing is guessed. Row groups are read a slice at a time: memory does
    not grow with them, nor with the file, wherever it is.

    ## Limits
    All files of a source must have the same columns with the same types. A file is whole or refused: there are no
    malformed records. A file that changes after it was hashed is refused by its size and time (elsewhere than on this
    machine, by what the store tells of it; a web server tells nothing). Files inside archives are not read.
    """

    block_rows: ClassVar[int] = 1 << 16
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Nested values stay nested",
            before={"text": ["good", None], "tags": [["a", "b"], []]},
            after={"text": ["good", None], "tags": [["a", "b"], []]},
        ),
    )

    use: Literal["parquet"] = "parquet"

    def scan(self, context: Context) -> Scan:
        """Hash every file and read its footer."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".parquet", ".pq"), use=self.use, notes=notes)
        files: list[InputFile] = []
        groups: list[list[int]] = []
        first: tuple[InputFile, pl.Schema] | None = None
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                file = replace(file, stamp=stamp_of(file.url))
                schema, rows = _footer(file)
                first = first or (file, schema)
                refuse_other_columns(file, schema, *first)
                if not sum(rows):
                    if len(found) == 1:
                        raise DataError("has columns and no rows", at=file.url, hint="is this the right file?")
                    notes.append(f"{file.name} has no rows")
                files.append(replace(file, sha256=stored_sha256(file.url)))
                groups.append(rows)
                stage.advance(file.size)
        schema = first[1] if first else pl.Schema()
        return Scan(tuple(files), schema, {"row_groups": groups}, notes=tuple(notes))

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Slices of row groups."""
        left = self.limit
        for number, (file, groups) in enumerate(zip(scan.files, scan.settings["row_groups"], strict=True)):
            start, total = 0, max(sum(groups), 1)
            for group, height in enumerate(groups):
                for offset in range(0, height, self.block_rows):
                    rows = min(self.block_rows, height - offset)
                    size = file.size * (start + rows) // total - file.size * start // total
                    if left is not None:
                        rows = min(rows, left)
                        left -= rows
                    if not rows:
                        return
                    yield Block(number, start + 1, start + 1, size, _Slice(group, offset, rows))
                    start += rows

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a slice.

        Raises:
            DataError: The file is damaged, or is not the one that was scanned.
        """
        file, wanted = scan.files[block.file], block.payload
        with _opened(file.url) as opened:
            # What comes before the slice in its row group is unpacked and passed over, a batch at a time.
            batches = opened.iter_batches(self.block_rows, row_groups=[wanted.group])
            rows = as_it_is(_sliced(batches, wanted, opened.schema_arrow), file.url)
        if rows.height != wanted.rows:
            raise DataError("is a damaged Parquet file (it has fewer rows than its footer says)", at=file.url)
        if stamp_of(file.url) != file.stamp:
            raise changed(file.url)
        records = pl.int_range(block.first_record, block.first_record + wanted.rows, dtype=pl.UInt64, eager=True)
        # Series, not expressions: to those a column called `*` would mean all of them.
        return Parsed(pl.DataFrame([rows[name].cast(kind) for name, kind in scan.schema.items()]), records)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The slice and its file."""
        what, file, _ = super().heeds(block, scan)
        return [what, file]

    @classmethod
    def write_example(cls, before: Mapping[str, list[Any]], path: Path) -> None:
        """Write the columns of an example."""
        pl.DataFrame(before, strict=False).write_parquet(path)


def _sliced(batches: Iterator[pa.RecordBatch], wanted: _Slice, schema: pa.Schema) -> pa.Table:
    taken, start, stop = [], 0, wanted.offset + wanted.rows
    for batch in batches:
        first = max(wanted.offset - start, 0)
        if first < batch.num_rows:
            taken.append(batch.slice(first, stop - start - first))
        start += batch.num_rows
        if start >= stop:
            break
    return pa.Table.from_batches(taken, schema=schema)


@contextmanager
def _opened(url: str) -> Iterator[pq.ParquetFile]:
    """The file; what cannot be read of it becomes a `DataError`."""
    with failures(url):
        try:
            with open_stored(url) as stored, pq.ParquetFile(stored, pre_buffer=False, buffer_size=_BUFFER) as opened:
                yield opened
        except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
            # PyArrow tells of damage by an `OSError` without a number; so do remote file systems of the network.
            if isinstance(error, OSError) and (error.errno is not None or not is_local(url)):
                raise
            reason = conceal(str(error).partition("\n")[0], url)[:200]
            raise DataError(
                f"is a damaged Parquet file ({reason})", at=url, hint="fetch it again, or write it anew"
            ) from None


def _footer(file: InputFile) -> tuple[pl.Schema, list[int]]:
    """Columns, and rows of each row group."""
    if file.url.startswith("zip://"):
        raise DataError("is inside a zip archive", at=file.url, hint="unpack the archive: Parquet packs itself")
    with failures(file.url), open_stored(file.url) as stored:
        head = stored.read(1024)
    if not head:
        raise DataError("is empty", at=file.url, hint="is this the right file?")
    if not head.startswith(b"PAR1"):
        refuse_other(head, at=file.url, wanted=_WANTED)
        raise DataError(f"is not {_WANTED}", at=file.url, hint="for text, use: csv or use: jsonl")
    with _opened(file.url) as opened:
        meta = opened.metadata
        schema = as_it_is(opened.schema_arrow.empty_table(), file.url).schema
        return schema, [meta.row_group(place).num_rows for place in range(meta.num_row_groups)]
