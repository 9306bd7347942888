"""Where the records of delimited text begin and end, whatever stands in quotes.

The grammar is RFC 4180, and says what to do with bytes that break it:

* a quote opens a field only as the field's first character; elsewhere in an unquoted field it is a character;
* inside quotes two quotes mean one; a quote closes the field only before a delimiter, a line end or the end of the
  file; any other quote is a character (`"he said "hi" to me"`);
* a quoted field is *unclosed* when no such quote follows within the longest record, or when, on a later line and
  before it, a quote stands where a field would be opened (`1,"oops` newline `2,"fine"`): then only the line where
  that field began is refused, and reading goes on at the next line. So a stray quote swallows no rows that follow
  (`swallowed` tells more cases, from what the file's records look like);
* an empty line is no record.

Bytes without a breach (almost all) are cut by vectorised parity of quotes; the others field by field. Both give the
same records on bytes without a breach.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.sources.reading.blocks import LONGEST, Pieces, line_ends


@dataclass(frozen=True)
class Dialect:
    """How fields are told apart: single bytes. `quote` is empty where nothing is quoted."""

    delimiter: bytes = b","
    quote: bytes = b'"'
    newline: bytes = b"\n"
    longest: int = LONGEST


@dataclass(frozen=True)
class Record:
    """One record found field by field.

    Attributes:
        fields: Values as bytes, without quotes; none when it is unclosed.
        unclosed: Of a record that is unclosed, the values if its last field ends with its line.
        mark: What is known of it besides its bytes; see `swallowed`.
    """

    start: int
    end: int
    fields: list[bytes] | None
    unclosed: list[bytes] | None = None
    mark: int = 0


@dataclass
class Records:
    """Records of some bytes, which start with a record.

    Args:
        data: The bytes.
        dialect: How fields are told apart.
        final: Whether the file ends with these bytes; if not, a record that may go on is not decided.
    """

    data: bytes
    dialect: Dialect
    final: bool = True
    _array: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self._array = np.frombuffer(self.data, np.uint8)

    @cached_property
    def regular(self) -> bool:
        """Whether parity tells where records end."""
        return self.parity_holds

    @cached_property
    def parity_holds(self) -> bool:
        """Whether quotes keep to the grammar and no record is too long."""
        if not self._quotes_fit or not len(self._quotes):
            return self._quotes_fit
        ends = self._regular_ends
        start = int(ends[-1]) if len(ends) else 0
        if self.final and len(self._quotes) % 2:
            return False
        if len(self.data) - start > self.dialect.longest:
            return False
        return not len(ends) or int(np.diff(ends, prepend=0).max()) <= self.dialect.longest

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Offset after each decided record and its line end."""
        if self.regular:
            return self._regular_ends
        return np.array([record.end for record in self.walked], np.int64)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Offset of each record."""
        return np.concatenate([np.zeros(min(1, len(self.ends)), np.int64), self.ends[:-1]])

    @cached_property
    def blank(self) -> NDArray[np.bool_]:
        """Whether a record is an empty line."""
        lengths, at = self.ends - self.starts, self._array
        if not len(lengths):
            return np.zeros(0, bool)
        blank = (lengths == 1) & (at[self.starts] == self.dialect.newline[0])
        if self.dialect.newline == b"\n":
            second = at[np.minimum(self.starts + 1, len(at) - 1)]
            blank |= (at[self.starts] == 13) & ((lengths == 1) | ((lengths == 2) & (second == 10)))
        return np.asarray(blank)

    @property
    def marks(self) -> NDArray[np.int8]:
        """What is known of each record besides its bytes; nothing here."""
        return np.zeros(len(self.ends), np.int8)

    @property
    def pieces(self) -> Pieces:
        """For the cutter."""
        return Pieces(self.ends, self.blank, self.marks)

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """Fields of each record; 0 where it is unclosed."""
        if not self.regular:
            return np.array([len(r.fields) if r.fields is not None else 0 for r in self.walked], np.int64)
        delimiters = np.flatnonzero(self._array == self.dialect.delimiter[0])
        if len(self._quotes):
            delimiters = delimiters[np.searchsorted(self._quotes, delimiters) % 2 == 0]
        owners = np.searchsorted(self.ends, delimiters, side="right")
        return np.bincount(owners, minlength=len(self.ends))[: len(self.ends)] + 1

    # -- by parity

    @cached_property
    def _quotes(self) -> NDArray[np.int64]:
        if not self.dialect.quote:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self._array == self.dialect.quote[0]).astype(np.int64)

    @cached_property
    def _regular_ends(self) -> NDArray[np.int64]:
        ends = line_ends(self.data, self.dialect.newline, self.final)
        return ends[np.searchsorted(self._quotes, ends) % 2 == 0] if len(self._quotes) else ends

    @cached_property
    def _quotes_fit(self) -> bool:
        quotes, at = self._quotes, self._array
        if not len(quotes):
            return True
        opening, closing = quotes[0::2], quotes[1::2]
        before = at[opening - 1]
        fits = (before == self.dialect.delimiter[0]) | (before == self.dialect.newline[0]) | (opening == 0)
        fits[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
        return bool(fits.all()) and bool((self._ends_field(closing + 1) | self._is_quote(closing + 1)).all())

    def _is_quote(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        inside = np.minimum(places, len(self.data) - 1)
        return np.asarray((places < len(self.data)) & (self._array[inside] == self.dialect.quote[0]))

    def _ends_field(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a field may end before each offset."""
        last = len(self.data) - 1
        here = self._array[np.minimum(places, last)]
        fits = (places > last) | (here == self.dialect.delimiter[0]) | (here == self.dialect.newline[0])
        if self.dialect.newline == b"\n":
            after = (places + 1 > last) | (self._array[np.minimum(places + 1, last)] == 10)
            fits |= (here == 13) & after
        return np.asarray(fits)

    # -- field by field

    @cached_property
    def _runs(self) -> tuple[dict[int, int], list[int], list[int], list[int]]:
        """Runs of quotes: end by start, starts of those that can close a field, of those that can open one, lines."""
        quotes = self._quotes
        first = np.flatnonzero(np.diff(quotes, prepend=-2) != 1)
        starts = quotes[first]
        lengths = np.diff(first, append=len(quotes))
        ends = starts + lengths
        odd, closes = lengths % 2 == 1, self._ends_field(ends)
        # What follows the last bytes of an unfinished file is not known yet.
        known = ends <= len(self.data) - (0 if self.final else 2)
        before = self._array[starts - 1]
        opens = (before == self.dialect.delimiter[0]) | (before == self.dialect.newline[0])
        return (
            dict(zip(starts.tolist(), ends.tolist(), strict=True)),
            starts[odd & closes].tolist(),
            starts[odd & opens & ~closes & known].tolist(),
            np.flatnonzero(self._array == self.dialect.newline[0]).tolist(),
        )

    @cached_property
    def walked(self) -> list[Record]:
        """The records, each with its fields."""
        found, start = [], 0
        while start < len(self.data):
            record = self._record(start)
            if record is None:
                break
            found.append(record)
            start = record.end
        return found

    def _line_end(self, start: int) -> tuple[int, int] | None:
        """Where the text of the line ends and where the next line starts; none when that is not decided."""
        newline = self.data.find(self.dialect.newline, start)
        if newline < 0:
            if not self.final:
                return None
            newline = end = len(self.data)
        else:
            end = newline + 1
        if self.dialect.newline == b"\n" and newline > start and self.data[newline - 1] == 13:
            newline -= 1
        return newline, end

    def _record(self, start: int) -> Record | None:
        data, dialect = self.data, self.dialect
        line = self._line_end(start)
        if not dialect.quote or data.find(dialect.quote, start, line[0] if line else len(data)) < 0:
            if line is None:
                return None
            return Record(start, line[1], data[start : line[0]].split(dialect.delimiter))
        fields: list[bytes] = []
        at = start
        while True:
            if data.startswith(dialect.quote, at):
                closed = self._close(start, at)
                if closed is None:
                    return None
                if closed < 0:
                    return self._unclosed(start, at, fields)
                fields.append(data[at + 1 : closed - 1].replace(dialect.quote * 2, dialect.quote))
                at = closed
            else:
                line = self._line_end(at)
                if line is None:
                    return None
                stop = data.find(dialect.delimiter, at, line[0])
                fields.append(data[at : line[0] if stop < 0 else stop])
                at = line[0] if stop < 0 else stop
            if not data.startswith(dialect.delimiter, at):
                line = self._line_end(at)
                return Record(start, line[1], fields) if line else None
            at += 1

    def _unclosed(self, start: int, opening: int, before: list[bytes]) -> Record | None:
        """A record with a field that is not closed, and the fields before it; none when that is not decided."""
        line, quote = self._line_end(opening), self.dialect.quote
        if line is None:
            return None
        last = self.data[opening + 1 : line[0]].replace(quote * 2, quote)
        return Record(start, line[1], None, unclosed=[*before, last])

    def _close(self, start: int, opening: int) -> int | None:
        """Offset after the quote that closes the field opened at `opening`; -1 if none does, none if undecided."""
        run_ends, closers, openers, lines = self._runs
        end, known = run_ends[opening], len(self.data) - (0 if self.final else 2)
        if (end - opening) % 2 == 0 and bool(self._ends_field(np.array([end]))[0]):
            return end if end <= known else None
        place = bisect_left(closers, end)
        closer = closers[place] if place < len(closers) else None
        later = bisect_right(lines, opening)
        if later < len(lines):
            again = bisect_right(openers, lines[later])
            if again < len(openers) and (closer is None or openers[again] < closer):
                return -1
        if closer is None:
            return None if not self.final and len(self.data) - start <= self.dialect.longest else -1
        close = run_ends[closer]
        if close - start > self.dialect.longest:
            return -1
        return close if close <= known else None


def values(records: Records, places: NDArray[Any]) -> list[list[bytes]]:
    """Fields of some records, column by column."""
    chosen = [records.walked[place].fields or [] for place in places]
    return [list(column) for column in zip(*chosen, strict=True)]
