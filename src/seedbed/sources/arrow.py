"""Arrow's own files and streams."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow as pa

from seedbed.core.context import Context, conceal
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .frames.arrow_types import from_arrow
from .reading.columns import refuse_other_columns
from .reading.files import changed, failures, find, open_stored, stamp_of
from .reading.kinds import refuse_other
from .reading.stream import Stream

_WANTED = "an Arrow file or stream"
_FILE, _STREAM = b"ARROW1\0\0", b"\xff\xff\xff\xff"


@dataclass(frozen=True)
class _Slice:
    """Payload of a block of a file: some rows of a record batch."""

    batch: int
    offset: int
    rows: int


class Arrow(FileSource):
    """Reads Arrow files (Feather version 2) and Arrow streams, nested types and all.

    ## Why
    Types, nulls and nesting are in the file, so nothing is guessed. The workers read the record batches of a file where
    they are, those of a stream come one after the other; each is checked before anything is done with it.

    ## Limits
    All files of a source must have the same columns with the same types. Values that stand in a dictionary become
    texts. A file is whole or refused: there are no malformed records. A record batch is held in memory.
    Streams may be packed; files may not, and are not read inside archives. Feather version 1 is not read.
    """

    block_rows: ClassVar[int] = 1 << 16
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Nested values stay nested",
            before={"text": ["good", None], "tags": [["a", "b"], []]},
            after={"text": ["good", None], "tags": [["a", "b"], []]},
        ),
    )

    use: Literal["arrow"] = "arrow"

    def scan(self, context: Context) -> Scan:
        """Hash every file, and look at its columns and batches."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".arrow", ".feather", ".ipc", ".arrows"), use=self.use, notes=notes)
        files: list[InputFile] = []
        batches: list[list[int] | None] = []
        first: tuple[InputFile, pl.Schema] | None = None
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                stamp = stamp_of(file.url.rpartition("::")[2])
                with Stream(file.url, hashed=True) as stream:
                    head = _head(stream, file.url)
                    with _streamed(stream, head, file.url) if head.startswith(_STREAM) else _filed(file.url) as reader:
                        schema = from_arrow(reader.schema.empty_table(), file.url).schema
                        batches.append(None if head.startswith(_STREAM) else _rows_of(reader))
                    files.append(replace(file, sha256=stream.sha256(), stamp=stamp))
                stage.advance(file.size)
                first = first or (file, schema)
                refuse_other_columns(file, schema, *first)
        return Scan(tuple(files), first[1] if first else pl.Schema(), {"batches": batches}, notes=tuple(notes))

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Slices of record batches: of a file where they are, of a stream themselves, hashing it again.

        Raises:
            DataError: A stream is damaged, or is not the one that was scanned; there are no rows at all.
        """
        left, some = self.limit, False
        for number, batches in enumerate(scan.settings["batches"]):
            cut = self._of_stream(number, scan) if batches is None else self._of_file(number, scan, batches)
            start = 0
            with closing(cut):
                for payload, rows, size in cut:
                    taken = rows if left is None else min(rows, left)
                    held = payload[:taken] if isinstance(payload, pa.RecordBatch) else replace(payload, rows=taken)
                    yield Block(number, start + 1, start + 1, size, _bytes(held) if batches is None else held)
                    start, some = start + taken, True
                    left = None if left is None else left - taken
                    if left == 0:
                        return
        if not some:
            raise DataError("has columns and no rows", at=self.path, hint="is this the right file?")

    def _of_file(self, number: int, scan: Scan, batches: list[int]) -> Generator[tuple[Any, int, int]]:
        size, total, done = scan.files[number].size, max(sum(batches), 1), 0
        for batch, height in enumerate(batches):
            for offset in range(0, height, self.block_rows):
                rows = min(self.block_rows, height - offset)
                yield _Slice(batch, offset, rows), rows, size * (done + rows) // total - size * done // total
                done += rows

    def _of_stream(self, number: int, scan: Scan) -> Generator[tuple[Any, int, int]]:
        file = scan.files[number]
        with Stream(file.url, hashed=True) as stream:
            told = 0
            with _streamed(stream, _head(stream, file.url), file.url) as reader:
                for batch in reader:
                    batch.validate(full=True)
                    for start in range(0, batch.num_rows, self.block_rows):
                        rows = batch[start : start + self.block_rows]
                        yield rows, rows.num_rows, stream.position - told
                        told = stream.position
            stream.check_sha256(file.sha256)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a slice.

        Raises:
            DataError: The file is damaged, or is not the one that was scanned.
        """
        file, held = scan.files[block.file], block.payload
        if isinstance(held, _Slice):
            with _filed(file.url) as reader:
                batch = reader.get_batch(held.batch)
                batch.validate(full=True)
                table = pa.Table.from_batches([batch[held.offset : held.offset + held.rows]])
                rows = from_arrow(table, file.url)
            if stamp_of(file.url) != file.stamp:
                raise changed(file.url)
        else:
            rows = from_arrow(pa.ipc.open_stream(held).read_all(), file.url)
        records = pl.int_range(block.first_record, block.first_record + rows.height, dtype=pl.UInt64, eager=True)
        return Parsed(pl.DataFrame([rows[name].cast(kind) for name, kind in scan.schema.items()]), records)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The slice and its file, or the rows of a stream."""
        what, file, _ = super().heeds(block, scan)
        return [what, file]

    @classmethod
    def write_example(cls, before: Any, path: Any) -> None:
        """Write the columns of an example."""
        pl.DataFrame(before, strict=False).write_ipc(path)


class _Readable:
    """What PyArrow asks of a file in Python."""

    closed = False

    def __init__(self, stream: Stream, head: bytes) -> None:
        self._stream, self._head = stream, head

    def read(self, size: int) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        pieces = [head]
        wanted = size - len(head)
        while wanted and (data := self._stream.read(min(wanted, 1 << 24))):
            pieces.append(data)
            wanted -= len(data)
        return b"".join(pieces)

    def close(self) -> None:
        """The stream is closed by whoever opened it."""


def _head(stream: Stream, at: str) -> bytes:
    head = _Readable(stream, b"").read(len(_FILE))
    if not head:
        raise DataError("is empty", at=at, hint="is this the right file?")
    if head == _FILE and stream.packing:
        raise DataError("is an Arrow file inside a packed one", at=at, hint="unpack it: Arrow packs its columns itself")
    if not head.startswith((_FILE, _STREAM)):
        if head.startswith(_FILE.rstrip(b"\0")):
            raise DataError("is a damaged Arrow file", at=at, hint="fetch it again, or write it anew")
        if head.startswith(b"FEA1"):
            raise DataError("is Feather version 1", at=at, hint="pandas.read_feather(…).to_parquet(…) writes it anew")
        refuse_other(head + stream.read(1024), at=at, wanted=_WANTED)
        raise DataError(f"is not {_WANTED}", at=at, hint="for text, use: csv or use: jsonl")
    return head


def _rows_of(reader: Any) -> list[int]:
    return [reader.get_batch(place).num_rows for place in range(reader.num_record_batches)]


def _bytes(rows: pa.RecordBatch) -> bytes:
    held = io.BytesIO()
    with pa.ipc.new_stream(held, rows.schema) as writer:
        writer.write_batch(rows)
    return held.getvalue()


@contextmanager
def _streamed(stream: Stream, head: bytes, at: str) -> Iterator[Any]:
    with _damage(at), pa.PythonFile(_Readable(stream, head), mode="r") as file, pa.ipc.open_stream(file) as reader:
        yield reader


@contextmanager
def _filed(at: str) -> Iterator[Any]:
    with failures(at), _damage(at), open_stored(at) as stored, pa.ipc.open_file(stored) as reader:
        yield reader


@contextmanager
def _damage(at: str) -> Iterator[None]:
    """What cannot be read of a file becomes a `DataError`."""
    try:
        yield
    except (pa.ArrowException, MemoryError, OverflowError, EOFError) as error:
        raise _damaged(error, at) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(error, at) from None


def _damaged(error: BaseException, at: str) -> DataError:
    said = conceal(str(error).partition("\n")[0], at)[:200] or type(error).__name__
    return DataError(f"is a damaged Arrow file ({said})", at=at, hint="fetch it again, or write it anew")
