"""One JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .nested.columns import SAMPLE, Faults, Kind, Kinds, fitting, unseen
from .nested.flattening import DEPTH
from .nested.objects import FaultError, row_of
from .reading.blocks import BLOCK, LONGEST, Cutter, Malformed, TooLong, kept, lines_of, malformed_table, too_long
from .reading.files import find
from .reading.kinds import refuse_binary
from .reading.marked import AfterMark
from .reading.stream import Stream, fetched, stretched

_WANTED = "JSON, one object a line"


class Jsonl(FileSource):
    """Reads JSON Lines: one JSON object a line, its keys the columns.

    ## Why
    Log and dataset dumps hold broken lines, and readers that skip them, or that turn a wrong type into a null, change
    the data without a word. Here every line is a row or stands in the ledger with its number, the reason (`not_json`,
    `not_an_object`, `bad_encoding`, `wrong_type`, `too_many_keys`, `too_long`) and its text. Line by line, since
    readers of whole blocks were seen to accept two objects on a line and to turn half a surrogate pair into a NUL.

    Columns and types come from the first MiB of each file: text, whole numbers, numbers, true/false. Where values
    differ in kind, or are lists or objects, the column is text and a value that is no text stands in it as JSON.
    `types` says otherwise where the sample misleads.

    With `flatten: true` an object inside a record becomes columns `OUTER.INNER`, to `depth` levels; deeper objects, and
    lists of any kind, stand in their column as JSON text; an empty object is none. A record in which two fields would
    be one column is refused (`same_column`).

    ## Limits
    Record numbers are line numbers; empty lines are passed over and are no records. A key that the first MiB does not
    show (and `types` does not name) is no column: its rows are kept without it, and counted by key. A value of the
    wrong type is refused in columns of numbers and of true/false only; text columns take every value. Of equal keys in
    one object the last counts. Whole numbers beyond 64 bits become floating-point. UTF-8 only, as RFC 8259 says.
    A line over 16 MiB, and an object of more than 2,000 keys, is refused.
    """

    block_bytes: ClassVar[int] = BLOCK
    longest: ClassVar[int] = LONGEST
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A missing key, a list, a line that is broken",
            before={"lines": ['{"text": "good", "n": 1, "tags": ["a"]}', '{"text": "bad"}', '{"text": "oops']},
            after={"text": ["good", "bad"], "n": [1, None], "tags": ['["a"]', None]},
        ),
        Example(
            title="A type that the sample would not give",
            options={"types": {"id": "string"}},
            before={"lines": ['{"id": 7}', '{"id": 8}']},
            after={"id": ["7", "8"]},
        ),
        Example(
            title="Objects inside records",
            options={"flatten": True},
            before={"lines": ['{"text": "good", "by": {"name": "Ada", "tags": ["a"]}}', '{"text": "bad", "by": {}}']},
            after={"text": ["good", "bad"], "by.name": ["Ada", None], "by.tags": ['["a"]', None]},
        ),
    )

    use: Literal["jsonl"] = "jsonl"
    types: dict[str, Kind] = Field(
        default_factory=dict, description="Types of columns, as COLUMN: TYPE, where the sample would mislead."
    )
    flatten: bool = Field(False, description="Whether objects inside a record become columns `OUTER.INNER`.")
    depth: int = Field(DEPTH, ge=1, le=64, description="Levels of objects that become columns, where `flatten` is set.")

    def scan(self, context: Context) -> Scan:
        """Read every file once: hash it, and learn columns and types from its first MiB."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".jsonl", ".ndjson"), use=self.use, notes=notes)
        kinds = Kinds()
        files: list[InputFile] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                told = 0
                with Stream(file.url, hashed=True) as stream:
                    empty = self._sample(file, stream, kinds)
                    while stream.read(self.block_bytes):
                        stage.advance(stream.position - told)
                        told = stream.position
                    files.append(replace(file, sha256=stream.sha256()))
                if empty and len(found) == 1:
                    raise DataError("is empty", at=file.url, hint="is this the right file?")
                if empty:
                    notes.append(f"{file.name} is empty")
        schema = kinds.schema(self.types, at=self.path)
        settings = {"sample_bytes": SAMPLE, "types": dict(self.types)}
        return Scan(tuple(files), schema, settings, notes=tuple(notes))

    def _sample(self, file: InputFile, stream: Stream, kinds: Kinds) -> bool:
        """Note the kinds of values in the first MiB of whole lines; whether the file is empty."""
        text = AfterMark(stream, file.url, _WANTED)
        taken = objects = lines = 0
        cutter = Cutter(0, lines_of, count_blank=True, size=self.block_bytes, longest=self.longest)
        for block in cutter.blocks(text):
            lines += 1
            for line in block.payload.split(b"\n") if isinstance(block.payload, bytes) else ():
                if taken < SAMPLE:
                    objects += self._note(line, kinds)
                    taken += len(line) + 1
            if taken >= SAMPLE:
                break
        if lines and not objects and not self.types:
            refuse_binary(text.head, at=file.url, wanted=_WANTED)
            array = text.head.lstrip().startswith(b"[")
            raise DataError(
                f"no line of its first {max(taken, 1):,} bytes is a JSON object"
                + (" (a JSON array?)" if array else ""),
                at=file.url,
                hint="one object a line is needed; for delimited text, use: csv",
            )
        return not lines

    def _note(self, line: bytes, kinds: Kinds) -> bool:
        """Note the kinds of an object's values; whether the line is an object."""
        try:
            kinds.note(row_of(line, self._levels))
        except FaultError as fault:
            kinds.most = max(kinds.most, fault.evidence.get("keys", 0))
            return fault.reason == "too_many_keys"
        return True

    @property
    def _levels(self) -> int:
        return self.depth if self.flatten else 0

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks of whole lines, hashing them again.

        Raises:
            DataError: A file is not the one that was scanned; told at its end.
        """
        left = self.limit
        for number, file in enumerate(scan.files):
            with Stream(file.url, hashed=True) as stream:
                cutter = self._cutter(number, left)
                yield from cutter.blocks(AfterMark(stream, file.url, _WANTED))
                stream.check_sha256(file.sha256)
            left = cutter.left
            if left == 0:
                return

    def _cutter(self, file: int, left: int | None) -> Cutter:
        return Cutter(file, lines_of, count_blank=True, left=left, size=self.block_bytes, longest=self.longest)

    def stretches(self, scan: Scan, file: int) -> list[Block] | None:
        """The blocks of a file that is not packed, unless `limit` asks for a part of the files."""
        url = scan.files[file].url
        if self.limit is not None:
            return None
        with Stream(url, hashed=True) as stream:
            if stream.packing:
                return None
            text = AfterMark(stream, url, _WANTED)
            found = [stretched(block, text.mark) for block in self._cutter(file, None).blocks(text)]
            stream.check_sha256(scan.files[file].sha256)
        return found

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block.

        Raises:
            DataError: The file is not the one that was scanned.
        """
        block = fetched(block, scan)
        if isinstance(block.payload, TooLong):
            text = block.payload.start.decode(errors="replace")
            refused = [too_long(block, block.payload, text, self.longest)]
            return Parsed(pl.DataFrame(schema=scan.schema), pl.Series(dtype=pl.UInt64), malformed_table(refused))
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        faults: Faults = {}
        lines = block.payload.split(b"\n")
        for number, line in enumerate(lines, block.first_record):
            try:
                size = len(line) + (number - block.first_record < len(lines) - 1)  # with its line end, if it has one
                if size > self.longest:
                    raise FaultError("too_long", bytes=size, limit=self.longest)
                row = row_of(line, self._levels)
            except FaultError as fault:
                if fault.reason != "not_json" or line.strip():
                    faults[number] = (fault.reason, fault.evidence)
            else:
                rows.append(row)
                numbers.append(number)
        table, bad = fitting(rows, scan.schema)
        faults.update((numbers[place], fault) for place, fault in bad.items())
        malformed = [
            Malformed(number, number, reason, evidence, self._raw(lines[number - block.first_record], reason))
            for number, (reason, evidence) in faults.items()
        ]
        good = np.array([number not in faults for number in numbers], bool)
        records = pl.Series(np.array(numbers, np.uint64)[good], dtype=pl.UInt64)
        kept_rows = [row for row, keep in zip(rows, good.tolist(), strict=True) if keep]
        return Parsed(table, records, malformed_table(malformed), unseen(kept_rows, scan.schema))

    def lines(self, block: Block, scan: Scan, records: Sequence[int]) -> Sequence[int]:
        """A record is a line."""
        return records

    def _raw(self, line: bytes, reason: str) -> str:
        line = line[: kept(self.longest)] if reason == "too_long" else line.removesuffix(b"\r")
        return line.decode(errors="replace")
