"""Plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .reading.blocks import (
    BLOCK,
    LONGEST,
    Cutter,
    Malformed,
    Pieces,
    TooLong,
    kept,
    lines_of,
    malformed_table,
    paragraphs_of,
    too_long,
)
from .reading.encoding import Encoding
from .reading.files import find
from .reading.stream import Stream
from .reading.surveying import Text as Decoded
from .reading.surveying import surveyed

_WANTED = "plain text"
_HEAD = 1 << 16
_SPLIT: dict[str, Callable[[bytes, bool], Pieces]] = {"line": lines_of, "paragraph": paragraphs_of}


class Text(FileSource):
    """Reads plain text: a row for each file, line or paragraph.

    ## Why
    Corpora come as folders of texts in whatever encoding their makers used. The encoding of each file is found as in
    `csv`, and the column `file` says where a text stood: a folder's name is often its label (`derive` takes it out).

    ## Limits
    Two columns, `text` and `file`. A line ends with LF or CRLF; lines and paragraphs of white space alone are none (an
    empty file is a row without text). Lines count from 1 with the empty ones, paragraphs without. Lines of a paragraph
    keep the breaks between them. A row over 16 MiB is refused (`too_long`); where the recipe names the encoding, so is
    one that does not decode (`bad_encoding`).
    """

    block_bytes: ClassVar[int] = BLOCK
    longest: ClassVar[int] = LONGEST
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A row a line",
            options={"per": "line"},
            before={"lines": ["good", "", "really bad"]},
            after={"text": ["good", "really bad"], "file": ["example.text", "example.text"]},
        ),
        Example(
            title="A row a paragraph",
            options={"per": "paragraph"},
            before={"lines": ["It was good,", "all of it.", "", "", "Then not."]},
            after={"text": ["It was good,\nall of it.", "Then not."]},
        ),
    )

    use: Literal["text"] = "text"
    per: Literal["file", "line", "paragraph"] = Field("file", description="What a row is.")
    encoding: str | None = Field(
        None, description="Encoding of the text (utf-8, cp1252, utf-16, …); found when left out."
    )
    markup: bool = Field(
        False,
        description="Whether files that begin as a web page or XML does are read as the text that they are, tags and "
        "all (`strip_html` takes those out); else they are refused, since most are pages that were saved by mistake.",
    )

    def scan(self, context: Context) -> Scan:
        """Read every file once: hash it, and find its encoding."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".txt", ".text", ".md"), use=self.use, notes=notes)
        files: list[InputFile] = []
        forms: list[dict[str, Any]] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                seen = surveyed(
                    file,
                    self.encoding,
                    wanted=_WANTED,
                    head=_HEAD,
                    advance=stage.advance,
                    size=self.block_bytes,
                    markup=self.markup,
                    kept_by="`markup: true`",
                )
                if not seen.head.strip():
                    if len(found) == 1:
                        raise DataError("is empty", at=file.url, hint="is this the right file?")
                    notes.append(f"{file.name} is empty")
                if seen.note:
                    notes.append(f"{file.name}: {seen.note}")
                files.append(seen.file)
                forms.append({"encoding": asdict(seen.encoding), "bom": seen.bom})
        names = " or ".join(sorted({form["encoding"]["name"] for form in forms}))
        schema = pl.Schema({"text": pl.String(), "file": pl.String()})
        return Scan(tuple(files), schema, {"files": forms}, {"encoding": names}, tuple(notes))

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks of whole rows, hashing them again.

        Raises:
            DataError: A file is not the one that was scanned; told at its end.
        """
        left = self.limit
        for number, (file, form) in enumerate(zip(scan.files, scan.settings["files"], strict=True)):
            with Stream(file.url, hashed=True) as stream:
                text = Decoded(stream, _encoding(form), form["bom"])
                if self.per == "file":
                    yield self._whole(number, text)
                    left = None if left is None else left - 1
                else:
                    cutter = Cutter(
                        number, _SPLIT[self.per], count_blank=self.per == "line", left=left, size=self.block_bytes,
                        longest=self.longest,
                    )  # fmt: skip
                    yield from cutter.blocks(text)
                    left = cutter.left
                stream.check_sha256(file.sha256)
            if left == 0:
                return

    def _whole(self, number: int, text: Decoded) -> Block:
        data, size = b"", 0
        while more := text.read(self.block_bytes):
            size += len(more)
            data = data + more if size <= self.longest else data[: kept(self.longest)]
        payload = data if size <= self.longest else TooLong(data[: kept(self.longest)], size)
        return Block(number, 1, 1, text.position, payload)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block."""
        file = scan.files[block.file].name
        encoding = _encoding(scan.settings["files"][block.file])
        texts: list[str | None] = []
        records: list[int] = []
        malformed: list[Malformed] = []
        for record, line, data in self._rows(block):
            if isinstance(data, TooLong):
                malformed.append(too_long(block, data, encoding.show(data.start), self.longest))
            elif len(data) > self.longest:
                held = TooLong(data[: kept(self.longest)], len(data))
                evidence = {"bytes": held.size, "limit": self.longest}
                malformed.append(Malformed(record, line, "too_long", evidence, encoding.show(held.start)))
            else:
                try:
                    texts.append(encoding.decode(data) or None)
                    records.append(record)
                except UnicodeDecodeError as wrong:
                    told: dict[str, Any] = {
                        "encoding": encoding.name,
                        "bytes": data[wrong.start : wrong.start + 4].hex(" "),
                    }
                    malformed.append(Malformed(record, line, "bad_encoding", told, encoding.show(data)))
        table = pl.DataFrame({"text": texts, "file": [file] * len(texts)}, schema=scan.schema)
        return Parsed(table, pl.Series(records, dtype=pl.UInt64), malformed_table(malformed))

    def lines(self, block: Block, scan: Scan, records: Sequence[int]) -> Sequence[int]:
        """Where rows begin."""
        known = {record: line for record, line, _ in self._rows(block)}
        return [known[record] for record in records]

    def _rows(self, block: Block) -> Iterator[tuple[int, int, bytes | TooLong]]:
        """Record number, line and bytes of each row."""
        record, line, held = block.first_record, block.first_line, block.payload
        if self.per == "file" or isinstance(held, TooLong):
            yield record, line, held
            return
        start = 0
        pieces = _SPLIT[self.per](held, True)
        for end, blank in zip(pieces.ends.tolist(), pieces.blank.tolist(), strict=True):
            if not blank:
                yield record, line, held[start:end].removesuffix(b"\n").removesuffix(b"\r")
            record += not blank or self.per == "line"
            line += held.count(b"\n", start, end)
            start = end

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The block's bytes, and the encoding of its file."""
        what, _, settings = super().heeds(block, scan)
        return [what, None, settings["files"][block.file]]


def _encoding(form: dict[str, Any]) -> Encoding:
    return Encoding(**form["encoding"])
