"""Sources of documents: each file is read whole, and turned into rows by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import polars as pl

from seedbed.core.context import Context
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan
from seedbed.sources.reading.blocks import Malformed, malformed_table
from seedbed.sources.reading.files import find
from seedbed.sources.reading.stream import Stream

from .deadline import Late, deadline

_PIECE = 1 << 20


@dataclass(frozen=True)
class Document:
    """One file, unpacked."""

    file: InputFile
    body: bytes
    schema: pl.Schema

    def parsed(self, rows: Sequence[tuple[int, tuple[Any, ...]]], bad: Sequence[Malformed] = ()) -> Parsed:
        """Rows with their numbers in the file, and records that are none."""
        table = pl.DataFrame([row for _, row in rows], schema=self.schema, orient="row")
        return Parsed(table, pl.Series([number for number, _ in rows], dtype=pl.UInt64), malformed_table(bad))

    def refused(self, reason: str, **evidence: Any) -> Parsed:
        """The whole file as one record that is no row."""
        return self.parsed([], [Malformed(1, 1, reason, evidence, "")])


class WholeFiles(FileSource):
    """A source that turns each file into rows by itself: what is wrong with one file does not stop the others."""

    suffixes: ClassVar[tuple[str, ...]]
    longest: ClassVar[int]
    """Bytes of the longest file, unpacked; a longer one is malformed (`too_long`)."""
    seconds: ClassVar[float] = 60.0
    """CPU time that one file may take; one that takes longer is malformed (`took_too_long`)."""

    @abstractmethod
    def columns_of(self) -> pl.Schema:
        """The columns."""

    @abstractmethod
    def read(self, document: Document) -> Parsed:
        """Rows of a file, and what is wrong with it."""

    def scan(self, context: Context) -> Scan:
        """Hash every file."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=self.suffixes, use=self.use, notes=notes)
        files: list[InputFile] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                with Stream(file.url, hashed=True) as stream:
                    files.append(replace(file, sha256=stream.sha256()))
                stage.advance(file.size)
        return Scan(tuple(files), self.columns_of(), notes=tuple(notes))

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """A block a file."""
        for number, file in enumerate(scan.files[: self.limit]):
            yield Block(number, 1, 1, file.size, None)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a file.

        Raises:
            DataError: It is not the one that was scanned.
        """
        file, body = scan.files[block.file], bytearray()
        with Stream(file.url, hashed=True) as stream:
            while len(body) <= self.longest and (more := stream.read(_PIECE)):
                body += more
            stream.check_sha256(file.sha256)
        document = Document(file, bytes(body), scan.schema)
        if len(body) > self.longest:
            return document.refused("too_long", limit=self.longest)
        if not body:
            return document.refused("empty")
        try:
            with deadline(self.seconds):
                return self.read(document)
        except Late:
            return document.refused("took_too_long", seconds=self.seconds)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The file."""
        return scan.files[block.file].sha256
