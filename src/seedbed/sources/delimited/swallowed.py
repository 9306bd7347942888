"""Brings back records that a quote swallowed which was opened and never closed.

`Records` refuses the line of a quote that nothing closes. This module says more, from evidence alone: `Shape` tells
which lines look like records of the file. A record *ends with its line* where that makes it whole, which only a quote
in the last column can.

1. **A quote that nothing closes**: the record ends with its line, if it looks like a record so and the next line does,
   too; else the line is malformed.
2. **A quote that closes on a later line** is taken as unclosed, and the lines that it swallowed are read again, if
   every one of them looks like a record, and

   a. no writer wrote the record: a quote inside the field is neither doubled nor at its end, or the record has the
      wrong number of fields (of the last line only the columns before the last need to fit then), or
   b. the lines go on with the file's own counter, one by one.

3. **Tab-separated remnants**: records that another reader swallowed before the file was written, so that nothing is
   wrong with its quotes. A field of the last column is split if at least two lines follow its first; each of them has
   as many tab-separated fields as the file has columns (a counter without a name may be missing), none before the last
   empty, long or with a quote; where a column holds numbers or few kinds of values, theirs are such or repeat like
   such; and the quote that closes the field belongs to its last line, which has an odd number of them without it.

Anything else stays as it is written: a field with line breaks is never split for what its lines look like alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedbed.sources.reading.blocks import Marked, line_ends

from .records import Dialect, Record, Records
from .shape import Column, Shape

#: Marks of records that are not what their own bytes say. A record without a mark is.
OPENED: Final = 1
"""Its last field has a quote that is not closed, and ends with its line."""
FREED: Final = 2
"""It was swallowed, and is a line that is read alone."""
REMNANT: Final = 3
"""It was swallowed, with tabs between its fields."""
LAST_REMNANT: Final = 4
"""As before; the quote at its end belongs to it."""
REFUSED: Final = 5
"""A field of it is not closed, and where it ends cannot be told."""

_LONGEST_BEFORE = 60


@dataclass
class Mended(Records):
    """Records of some bytes, those that a quote swallowed included."""

    shape: Shape | None = None

    @cached_property
    def regular(self) -> bool:
        """Whether parity tells where records end, and none of them swallowed others."""
        if not self.parity_holds or self.shape is None:
            return self.parity_holds
        ends = self._regular_ends
        lines = np.searchsorted(line_ends(self.data, self.dialect.newline, self.final), ends)
        places = np.flatnonzero(np.diff(lines, prepend=-1) > 1)
        starts = np.concatenate([np.zeros(1, np.int64), ends])
        return not any(self._freed(int(starts[place]), int(ends[place])) for place in places)

    @cached_property
    def walked(self) -> list[Record]:
        """The records, each with its fields."""
        found: list[Record] = []
        start = 0
        while start < len(self.data):
            record = self._record(start)
            if record is None:
                break
            found += (self._freed(start, record.end) if record.fields is not None else None) or [record]
            start = found[-1].end
        return found

    @cached_property
    def marks(self) -> NDArray[np.int8]:
        """The mark of each record."""
        if self.regular:
            return np.zeros(len(self.ends), np.int8)
        return np.array([record.mark for record in self.walked], np.int8)

    def _unclosed(self, start: int, opening: int, before: list[bytes]) -> Record | None:
        """The first rule."""
        record = super()._unclosed(start, opening, before)
        if record is None or self.shape is None or self.shape.width == 1 or not self.shape.takes(record.unclosed):
            return record
        # What decides must not depend on how much has been read: the bytes that the longest record may have.
        known = min(len(self.data), start + self.dialect.longest)
        stop = self.data.find(self.dialect.newline, record.end, known) + 1
        if not stop and known == len(self.data):
            if not self.final:
                return None
            stop = known
        if not self.shape.takes(_alone(self.data[record.end : stop or record.end], self.dialect)):
            return record
        return Record(start, record.end, record.unclosed, mark=OPENED)

    def _freed(self, start: int, end: int) -> list[Record]:
        """The records that a whole record was cut into, by rule 2 or 3; none if it is one."""
        first = self.data.find(self.dialect.newline, start, end) + 1
        if not first or first == end or self.shape is None or not self.dialect.quote:
            return []
        second = self.data.find(self.dialect.newline, first, end) + 1 or end
        line = self.data[first:second]
        as_record = self.shape.telling and line.count(self.dialect.delimiter) >= self.shape.width - 1
        as_record = as_record and self._may_be_record(line)
        as_record = as_record and (second == end or self.shape.takes(_alone(line, self.dialect)))
        if not as_record and (second == end or line.count(b"\t") < self.shape.width - 1 - self.shape.index):
            return []  # almost always
        opening = _alone(self.data[start:first], self.dialect)
        lines = self.data[first:end].removesuffix(self.dialect.newline).split(self.dialect.newline)
        if opening is None:
            return []
        whole = self.shape.takes(opening)
        cut = Record(start, first, opening if whole else None, mark=OPENED if whole else REFUSED)
        if as_record and self._are_records(lines, opening, self.data[start:end]):
            return [cut, *self._lines(first, end)]
        if whole and self._are_remnants(lines):
            return [cut, *self._remnants(first, end)]
        return []

    def _may_be_record(self, line: bytes) -> bool:
        """Whether the fields before a line's first quote fit: most lines of prose are told by them, at little cost."""
        assert self.shape is not None
        *plain, _ = line[: line.find(self.dialect.quote)].split(self.dialect.delimiter, self.shape.width - 1)
        return all(column.takes(field) for column, field in zip(self.shape.columns, plain, strict=False))

    def _are_records(self, lines: list[bytes], opening: list[bytes], raw: bytes) -> bool:
        """The second rule."""
        assert self.shape is not None
        shape = self.shape
        others, last = [], _alone(lines[-1], self.dialect)
        for line in lines[:-1]:
            others.append(_alone(line, self.dialect))
            if not shape.takes(others[-1]):
                return False
        if last is None or not (shape.takes(last) or shape.begins(last)):
            return False
        record = Records(raw, self.dialect)
        if not record.parity_holds or record.widths.tolist() != [shape.width]:
            return True
        counted = [shape.count(fields or []) for fields in (opening, *others, last)]
        return (
            shape.takes(last)
            and counted[0] is not None
            and counted == list(range(counted[0], counted[0] + len(counted)))
        )

    def _lines(self, start: int, end: int) -> list[Record]:
        """The swallowed lines; without the last if a field of it goes on."""
        found = []
        while start < end:
            stop = self.data.find(self.dialect.newline, start, end) + 1 or end
            fields = _alone(self.data[start:stop], self.dialect)
            found.append(Record(start, stop, fields, mark=FREED))
            start = stop
        [last] = Records(self.data[found[-1].start : end], self.dialect).walked
        return found if last.fields is not None else found[:-1]

    def _are_remnants(self, lines: list[bytes]) -> bool:
        """The third rule, but for what `_freed` has seen."""
        assert self.shape is not None
        quote, last = self.dialect.quote, lines[-1].removesuffix(b"\r")
        if self.dialect.delimiter == b"\t" or len(lines) < 2 or not last.endswith(quote):
            return False
        widths = {line.count(b"\t") + 1 for line in lines}
        if len(widths) > 1 or not widths <= {self.shape.width, self.shape.width - self.shape.index} - {1}:
            return False
        before = (field for line in lines for field in line.split(b"\t")[:-1])
        if not all(field.strip() and len(field) <= _LONGEST_BEFORE and quote not in field for field in before):
            return False
        text = last[:-1].replace(quote * 2, quote)
        if text.count(quote) % 2 == 0 or text.endswith(quote):
            return False
        marks = [REMNANT] * (len(lines) - 1) + [LAST_REMNANT]
        pairs = zip(lines, marks, strict=True)
        read = [_remnant(one, mark, self.dialect, self.shape.width) for one, mark in pairs]
        return all(itertools.starmap(_of_a_kind, zip(self.shape.columns, zip(*read, strict=True), strict=True)))

    def _remnants(self, start: int, end: int) -> list[Record]:
        assert self.shape is not None
        found = []
        while start < end:
            stop = self.data.find(self.dialect.newline, start, end) + 1 or end
            mark = LAST_REMNANT if stop == end else REMNANT
            fields = _remnant(self.data[start:stop], mark, self.dialect, self.shape.width)
            found.append(Record(start, stop, fields, mark=mark))
            start = stop
        return found


@dataclass
class Told(Records):
    """Records of bytes of which it is known where they end and how they are marked."""

    marked: Marked | None = None
    width: int = 0

    @cached_property
    def regular(self) -> bool:
        """Never: what the bytes say is not all."""
        return False

    @property
    def marks(self) -> NDArray[np.int8]:
        """The mark of each record."""
        assert self.marked is not None
        return self.marked.marks

    @cached_property
    def walked(self) -> list[Record]:
        """The records, each with its fields."""
        assert self.marked is not None
        found: list[Record] = []
        start = plain = 0
        for end, mark in zip(self.marked.ends.tolist(), self.marked.marks.tolist(), strict=True):
            if mark:
                found += self._plain(plain, start)
                found.append(Record(start, end, self._fields(self.data[start:end], mark), mark=mark))
                plain = end
            start = end
        return [*found, *self._plain(plain, start)]

    def _fields(self, raw: bytes, mark: int) -> list[bytes] | None:
        if mark == REFUSED:
            return None
        return _alone(raw, self.dialect) if mark in (OPENED, FREED) else _remnant(raw, mark, self.dialect, self.width)

    def _plain(self, start: int, end: int) -> list[Record]:
        records = Records(self.data[start:end], self.dialect).walked
        return [replace(r, start=r.start + start, end=r.end + start) for r in records]


def _of_a_kind(column: Column, values: Sequence[bytes]) -> bool:
    """Whether values may be a column's; where it has few kinds, others may stand for them that repeat as they do."""
    if all(map(column.takes, values)):
        return True
    return bool(column.kinds) and len(set(values)) < len(values) and len(set(values)) <= len(column.kinds)


def _alone(line: bytes, dialect: Dialect) -> list[bytes] | None:
    """The fields of a line that is read alone; a quote that is not closed in it ends with it."""
    if dialect.quote not in line:
        text = line.removesuffix(dialect.newline)
        return text.removesuffix(b"\r" if dialect.newline == b"\n" else b"").split(dialect.delimiter)
    records = Records(line, dialect).walked
    if len(records) != 1:
        return None
    return records[0].fields if records[0].fields is not None else records[0].unclosed


def _remnant(raw: bytes, mark: int, dialect: Dialect, width: int) -> list[bytes]:
    """The fields of a tab-separated line inside a quoted field; the first is empty where the file has one more."""
    line, quote = raw.removesuffix(dialect.newline).removesuffix(b"\r"), dialect.quote
    ends = mark == LAST_REMNANT
    text = (line[:-1] if ends else line).replace(quote * 2, quote) + quote * ends
    *before, last = text.split(b"\t")
    inside = last[1:-1]
    if last[:1] == quote == last[-1:] and quote not in inside.replace(quote * 2, b"") and len(last) > 1:
        last = inside.replace(quote * 2, quote)
    return [*[b""] * (width - len(before) - 1), *before, last]
