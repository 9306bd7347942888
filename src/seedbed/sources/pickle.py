"""Pickles, if one must."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .frames.blocks import blocks_of, rows_of
from .frames.tables import table_of
from .frames.unpickling import loaded
from .reading.columns import refuse_other_columns
from .reading.files import find
from .reading.kinds import refuse_other
from .reading.stream import Stream

#: Bytes of a pickle: it is held in memory, more than once.
_LARGEST = 2 << 30
_WANTED = "a pickle"


class Pickle(FileSource):
    """Reads pickled tables: frames of pandas, lists and dicts. Only where the recipe says `trust: true`.

    ## Why
    Loading a pickle runs what its maker wrote into it: it can delete your files. But data comes as pickles, and then it
    is safer to load them here than by hand. Besides lists, dicts, texts, numbers, true/false, dates, arrays of NumPy
    and what pandas needs for its frames, nothing that a pickle names is run or imported: it is refused, by name.

    A frame keeps its index as a column if it has a name or holds no whole numbers. A list of dicts has the keys of all
    as columns; a dict of equally long lists is columns; any other dict is one row; a list of other values is a column
    `value`. Lists and dicts inside become JSON text.

    ## Limits
    `trust: true` still means that you trust its maker: a damaged or malicious pickle may use much memory, or end the
    program. A pickle is held in memory, and is at most 2 GiB. Sparse columns, periods, intervals, sets, complex numbers
    and objects of other libraries are refused. Frames need pandas.
    """

    block_rows: ClassVar[int] = 1 << 16
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A list of dicts",
            options={"trust": True},
            before={"text": ["good", "bad"], "tags": [["a"], []]},
            after={"text": ["good", "bad"], "tags": ['["a"]', "[]"]},
        ),
    )

    use: Literal["pickle"] = "pickle"
    trust: bool = Field(False, description="Whether you know who made it: without `true`, no pickle is loaded.")

    def scan(self, context: Context) -> Scan:
        """Load every file.

        Raises:
            RecipeError: The recipe does not say `trust: true`.
        """
        if not self.trust:
            raise RecipeError(
                "a pickle can run whatever its maker wrote into it, so none is loaded unasked",
                at=f"source {self.use!r}, trust",
                hint="if you know who made it, say trust: true; better, save it as Parquet where it was made",
            )
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".pkl", ".pickle"), use=self.use, notes=notes)
        files: list[InputFile] = []
        schema: pl.Schema | None = None
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                data, digest = _bytes(file.url)
                table = table_of(loaded(data, file.url), file.url)
                if not table.height:
                    if len(found) == 1:
                        raise DataError("has no rows", at=file.url, hint="is this the right file?")
                    notes.append(f"{file.name} has no rows")
                schema = schema or table.schema
                refuse_other_columns(file, table.schema, files[0] if files else file, schema)
                files.append(replace(file, sha256=digest))
                stage.advance(file.size)
        return Scan(tuple(files), schema or pl.Schema(), notes=tuple(notes))

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Slices of the tables.

        Raises:
            DataError: A file is not the one that was scanned.
        """
        left = self.limit
        for number, file in enumerate(scan.files):
            data, _ = _bytes(file.url, file.sha256)
            table = table_of(loaded(data, file.url), file.url)
            yield from blocks_of(table, number, file.size, left, self.block_rows)
            left = None if left is None else left - min(left, table.height)
            if left == 0:
                return

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a slice."""
        return rows_of(block, scan.schema)

    @classmethod
    def write_example(cls, before: Mapping[str, list[Any]], path: Path) -> None:
        """Write the rows of an example."""
        import pickle

        path.write_bytes(
            pickle.dumps([dict(zip(before, row, strict=True)) for row in zip(*before.values(), strict=True)])
        )


def _bytes(url: str, known: str = "") -> tuple[bytes, str]:
    """A file, unpacked, and the digest of its stored bytes; compared, where it is known."""
    pieces: list[bytes] = []
    size = 0
    with Stream(url, hashed=True) as stream:
        while data := stream.read(1 << 20):
            size += len(data)
            if size > _LARGEST:
                raise DataError(f"is larger than {_LARGEST >> 30} GiB", at=url, hint="save it as Parquet")
            pieces.append(data)
        digest = stream.sha256()
        if known:
            stream.check_sha256(known)
    whole = b"".join(pieces)
    if not whole:
        raise DataError("is empty", at=url, hint="is this the right file?")
    if not whole.startswith(b"\x80"):
        refuse_other(whole[:1024], at=url, wanted=_WANTED)
    return whole, digest
