"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, InputFile, Parsed, Scan, Source

from .files import failures, find, is_local, local_path, open_stored
from .kinds import refuse_other
from .stream import stored_sha256

_WANTED = "a Parquet file"


class Parquet(Source):
    """Reads Parquet files, nested types and all.

    ## Why
    Types, nulls and nesting are in the file, so nothing is guessed. Row groups are read a slice at a time: memory does
    not grow with them.

    ## Limits
    All files of a source must have the same columns with the same types. A file is whole or refused: its digest and
    its pages are checked as they are read, and there are no malformed records. Files inside archives are not read.
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
        found = find(self.path, context, suffixes=(".parquet", ".pq"), use=self.use)
        files: list[InputFile] = []
        groups: list[list[int]] = []
        notes: list[str] = []
        first: tuple[InputFile, pl.Schema] | None = None
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                schema, rows = _footer(file)
                first = first or (file, schema)
                if schema != first[1]:
                    raise DataError(
                        f"has other columns or types than {first[0].name}: {_difference(schema, first[1])}",
                        at=file.url,
                        hint="read files with different columns as sources of their own",
                    )
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
        """Slices of row groups: the payload is the number of rows."""
        left = self.limit
        for number, (file, groups) in enumerate(zip(scan.files, scan.settings["row_groups"], strict=True)):
            start, total = 0, max(sum(groups), 1)
            for group in groups:
                for offset in range(0, group, self.block_rows):
                    rows = min(self.block_rows, group - offset)
                    size = file.size * (start + rows) // total - file.size * start // total
                    if left is not None:
                        rows = min(rows, left)
                        left -= rows
                    if not rows:
                        return
                    yield Block(number, start + 1, start + 1, size, rows)
                    start += rows

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a slice."""
        file = scan.files[block.file]
        offset, rows = block.first_record - 1, int(block.payload)
        with _reading(file.url) as stored:
            table = pl.scan_parquet(stored, glob=False).slice(offset, rows).collect()
        if table.height != rows:
            raise DataError(f"ends after {offset + table.height:,} rows; its footer says more", at=file.url)
        records = pl.int_range(offset + 1, offset + rows + 1, dtype=pl.UInt64, eager=True)
        return Parsed(table.select(scan.schema.names()), records)


@contextmanager
def _reading(url: str) -> Iterator[Any]:
    """What Polars and PyArrow can read the file from; what they cannot read becomes a `DataError`."""
    with failures(url):
        try:
            if is_local(url):
                yield local_path(url)
            else:
                with open_stored(url) as stored:
                    yield stored
        except (pa.ArrowException, pl.exceptions.PolarsError) as error:
            reason = str(error).partition("\n")[0][:200]
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
    with _reading(file.url) as stored:
        meta = pq.read_metadata(stored)
        rows = [meta.row_group(place).num_rows for place in range(meta.num_row_groups)]
    with _reading(file.url) as stored:
        return pl.Schema(pl.scan_parquet(stored, glob=False).collect_schema()), rows


def _difference(schema: pl.Schema, wanted: pl.Schema) -> str:
    names = [*wanted, *(name for name in schema if name not in wanted)]
    differing = [name for name in names if schema.get(name) != wanted.get(name)]
    shown = [f"{name} ({schema.get(name, 'missing')}, there {wanted.get(name, 'missing')})" for name in differing[:3]]
    return ", ".join(shown) or "their order differs"
