"""Cut a stream of bytes into blocks that end where a record ends. Cheap: nothing is parsed here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.source import MALFORMED_SCHEMA, Block

#: Bytes of input read at a time; a block has about this size.
BLOCK = 4 << 20
#: Bytes of the longest record; a longer one is malformed (`too_long`), and only its start is kept.
LONGEST = 16 << 20
#: Bytes that may have to be seen after a record to know where it ends.
_AHEAD = 2


def kept(longest: int) -> int:
    """Bytes kept of the start of a record that is too long."""
    return min(1 << 16, longest)


@dataclass(frozen=True)
class TooLong:
    """Payload of a block that is one record, too long to be held in memory."""

    start: bytes
    size: int


@dataclass(frozen=True)
class Pieces:
    """Where the records of some bytes end.

    Attributes:
        ends: Offset after each record and its line end, shape (n,). What follows the last is not decided yet.
        blank: Whether a record is an empty line and no record at all, shape (n,).
        marks: What had to be found out from more than a record's own bytes, shape (n,); 0 where nothing had.
    """

    ends: NDArray[np.int64]
    blank: NDArray[np.bool_]
    marks: NDArray[np.int8] | None = None


@dataclass(frozen=True)
class Marked:
    """Payload of a block with marks: bytes, and where its records end."""

    data: bytes
    ends: NDArray[np.int64]
    marks: NDArray[np.int8]


class Reader(Protocol):
    """Where bytes come from."""

    @property
    def position(self) -> int:
        """Stored bytes read so far."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass
class Cutter:
    """Cuts one file.

    Attributes:
        file: Place of the file among the source's files.
        split: Finds the records in bytes that start with a record; told whether they are the file's last.
        newline: What ends a line.
        count_blank: Whether empty lines take a record number (they are no records in either case).
        skip: Records at the start that are no rows (a header).
        left: Records still wanted; all when none.
    """

    file: int
    split: Callable[[bytes, bool], Pieces]
    newline: bytes = b"\n"
    count_blank: bool = False
    skip: int = 0
    left: int | None = None
    size: int = BLOCK
    longest: int = LONGEST
    _record: int = 1
    _line: int = 1
    _told: int = 0
    _at: int = 0

    def blocks(self, reader: Reader) -> Iterator[Block]:
        """The blocks, in order. `left` counts down."""
        rest = b""
        while self.left != 0:
            data = reader.read(self.size)
            final, rest = not data, rest + data
            pieces = self.split(rest, final)
            if len(pieces.ends):
                yield from self._block(rest, pieces, reader.position)
                self._at += int(pieces.ends[-1])
                rest = rest[int(pieces.ends[-1]) :]
            if final:
                return
            if len(rest) > self.longest + _AHEAD and self.left != 0:
                head, lines, size, rest = self._pass_over(rest, reader)
                yield from self._emit(TooLong(head, size), 1, 1, lines, reader.position)
                self._at += size

    def _block(self, data: bytes, pieces: Pieces, position: int) -> Iterator[Block]:
        ends, numbered, start, marks = pieces.ends, ~pieces.blank, 0, pieces.marks
        if self.skip:
            places = np.flatnonzero(numbered)[: self.skip]
            self.skip -= len(places)
            cut = int(places[-1]) + 1 if len(places) and not self.skip else len(ends)
            start = int(ends[cut - 1])
            self._line += data.count(self.newline, 0, start)
            ends, numbered, marks = ends[cut:], numbered[cut:], None if marks is None else marks[cut:]
        if self.left is not None:
            places = np.flatnonzero(numbered)
            if len(places) > self.left:
                cut = int(places[self.left - 1]) + 1
                ends, numbered = ends[:cut], numbered[:cut]
        if not len(ends):
            return
        payload = data[start : int(ends[-1])]
        records = int(numbered.sum())
        numbers = len(numbered) if self.count_blank else records
        lines = payload.count(self.newline)
        if marks is not None and marks[: len(ends)].any():
            marked = Marked(payload, ends - start, marks[: len(ends)])
            yield from self._emit(marked, records, numbers, lines, position, start)
        else:
            yield from self._emit(payload, records, numbers, lines, position, start)

    def _emit(
        self, payload: Any, records: int, numbers: int, lines: int, position: int, start: int = 0
    ) -> Iterator[Block]:
        if self.skip and isinstance(payload, TooLong):  # a header cannot be that long: `scan` has seen it
            return
        if records:
            yield Block(self.file, self._record, self._line, position - self._told, payload, self._at + start)
            self._told = position
        self._record += numbers
        self._line += lines
        if self.left is not None:
            self.left -= records

    def _pass_over(self, rest: bytes, reader: Reader) -> tuple[bytes, int, int, bytes]:
        """Read on to the next line end without keeping what is read: start, lines, bytes passed, what follows."""
        head, lines, size = rest[: kept(self.longest)], rest.count(self.newline), len(rest)
        while data := reader.read(self.size):
            cut = data.find(self.newline) + 1
            if cut:
                return head, lines + 1, size + cut, data[cut:]
            size += len(data)
        return head, lines, size, b""


def line_ends(data: bytes, newline: bytes, final: bool) -> NDArray[np.int64]:
    """Offsets after each line; a last line without a line end counts where `final`."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == newline[0]) + 1
    if final and len(data) and (not len(ends) or ends[-1] != len(data)):
        ends = np.append(ends, len(data))
    return ends.astype(np.int64)


def lines_of(data: bytes, final: bool) -> Pieces:
    """Each line a record; one of white space alone is blank."""
    ends = line_ends(data, b"\n", final)
    starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
    blank = np.zeros(len(ends), bool)
    if len(ends):
        first = np.frombuffer(data, np.uint8)[starts]
        # Only a line that starts with white space can be blank.
        for place in np.flatnonzero(np.isin(first, np.frombuffer(b" \t\r\n\v\f", np.uint8))).tolist():
            blank[place] = not data[starts[place] : ends[place]].strip()
    return Pieces(ends, blank)


def paragraphs_of(data: bytes, final: bool) -> Pieces:
    """Each stretch of lines up to a blank one a record; what is blank between them is none."""
    lines = lines_of(data, final)
    there = ~lines.blank
    before_blank = np.append(lines.blank[1:], final)  # the last line may go on
    last = lines.blank | (there & before_blank)
    return Pieces(lines.ends[last], lines.blank[last])


@dataclass(frozen=True)
class Malformed:
    """A record that is no row."""

    record: int
    line: int
    reason: str
    evidence: dict[str, Any]
    raw: str


def malformed_table(found: Iterable[Malformed]) -> pl.DataFrame:
    """`MALFORMED_SCHEMA`, sorted by record."""
    rows = [
        (m.record, m.line, m.reason, json.dumps(m.evidence, ensure_ascii=False), m.raw)
        for m in sorted(found, key=lambda m: m.record)
    ]
    return pl.DataFrame(rows, schema=MALFORMED_SCHEMA, orient="row")


def too_long(block: Block, payload: TooLong, text: str, longest: int = LONGEST) -> Malformed:
    """What the ledger says of a record that was not held in memory."""
    evidence = {"bytes": payload.size, "limit": longest}
    return Malformed(block.first_record, block.first_line, "too_long", evidence, text)
