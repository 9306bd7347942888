"""Cut a JSON document into the records at a path, as it streams by. A broken record does not harm its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from seedbed.sources.reading.blocks import TooLong, kept

from .scanning import Marks, Scanner

#: Any element of a list, or any value of an object.
ANY = "*"
#: Bytes that are looked at together: more would not stay in the processor's cache.
_LOOK = 1 << 18
_OPEN, _CLOSE, _COMMA, _COLON = b"{[", b"}]", 44, 58
_LIST, _CLOSE_LIST = 91, 93


@dataclass(frozen=True)
class Piece:
    """Records that follow each other in a list, or a single one.

    Attributes:
        line: Line of the first byte of `data` in its file.
        data: Bytes of the file from the first record's to the last one's.
        starts: Where records begin in `data`, white space before them included, shape (n,).
        ends: Where they end, shape (n,).
    """

    line: int
    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """Of everything above."""
        found = xxhash.xxh3_128(self.data)
        for places in (np.array(self.line), self.starts, self.ends):
            found.update(places.astype("<i8").tobytes())
        return str(found.hexdigest())

    def head(self, count: int) -> Piece:
        """The first records."""
        return Piece(self.line, self.data, self.starts[:count], self.ends[:count])


@dataclass(frozen=True)
class Broken:
    """What stands where the document should go on, or should have ended."""

    line: int
    reason: str
    """`cut_off`: it ends too early; `after_the_end`: it goes on after its end."""
    start: bytes


@dataclass(frozen=True)
class Huge:
    """A record too long to be held."""

    line: int
    held: TooLong


Found = Piece | Broken | Huge


class Reader(Protocol):
    """Where bytes come from."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass
class _Frame:
    """A list or object that is open, on the way to the records or beside it."""

    is_list: bool
    matched: int | None
    """Steps of the path that lead here; none beside it."""
    within: int | None = None
    """Steps of the path that lead to the value that stands in it now."""


@dataclass
class Document:
    """Finds the records of one document.

    Attributes:
        path: Keys on the way from the root to the records or to their list; `*` is anything.
        longest: Bytes of the longest record.
    """

    path: tuple[str, ...]
    longest: int
    _scanner: Scanner = field(default_factory=Scanner)
    _frames: list[_Frame] = field(default_factory=list)
    _held: bytes = b""  # what is still needed of the bytes so far
    _line: int = 1  # of the byte `_counted` of those
    _counted: int = 0
    _from: int | None = None  # where the open record begins in the bytes held
    _key: int | None = None  # where a key begins that tells whether the path goes on here
    _listed: bool = False  # whether the open record is one of a list
    _long: tuple[int, bytes, int] | None = None  # of an open record that is too long: its line, start, bytes let go
    _rooted: bool = False  # whether it has begun
    _tail: int | None = None  # what follows the document
    _over: bool = False

    def read(self, reader: Reader) -> Iterator[Found]:
        """All records, in order, in pieces as they come. Reads to the end, whatever comes."""
        while data := reader.read(_LOOK):
            if not self._over:
                yield from self._feed(data)
        if not self._over:
            yield from self._end()

    def _feed(self, data: bytes) -> Iterator[Found]:
        before = len(self._held)
        marks = self._scanner.marks(data)
        self._held += data
        yield from self._walk(Marks(marks.at + before, marks.code, marks.depth))
        yield from self._let_go()

    # -- from mark to mark

    def _walk(self, marks: Marks) -> Iterator[Found]:
        level = len(self.path)
        shallow = marks.depth <= level
        commas = marks.at[(marks.code == _COMMA) & (marks.depth == level + 1)]
        done = 0
        for at, code in zip(marks.at[shallow].tolist(), marks.code[shallow].tolist(), strict=True):
            if self._listed:  # then this is the end of the list
                stop = int(np.searchsorted(commas, at))
                yield from self._records(np.append(commas[done:stop], at))
                self._from = None
            yield from self._step(at, code)
            if self._over:
                return
            if self._listed:
                done = int(np.searchsorted(commas, at))
        if self._listed:
            yield from self._records(commas[done:])

    def _step(self, at: int, code: int) -> Iterator[Found]:
        if code in _OPEN and (self._frames or not (self._rooted or self._tail is not None)):
            self._open(at, code == _LIST)
        elif not self._frames:
            self._tail = at if self._tail is None else self._tail
        elif code in _CLOSE:
            yield from self._close(at, code)
        elif code == _COLON:
            self._named(at)
        else:
            yield from self._scalar(at)
            self._next(at)

    def _open(self, at: int, is_list: bool) -> None:
        matched = self._frames[-1].within if self._frames else 0
        self._rooted = True
        self._frames.append(_Frame(is_list, matched))
        if matched == len(self.path):
            self._from, self._listed = at + is_list, is_list
        else:
            self._from = None
            self._next(at)

    def _next(self, at: int) -> None:
        """A value, or its key, comes behind this mark."""
        frame = self._frames[-1]
        frame.within = self._key = None
        if frame.matched is None:
            return
        if not frame.is_list:
            self._key = at + 1
        elif self.path[frame.matched] == ANY:
            self._begin(frame, at)

    def _named(self, at: int) -> None:
        frame, start = self._frames[-1], self._key
        if start is None or frame.matched is None:
            return
        self._key = None
        wanted = self.path[frame.matched]
        if wanted == ANY or _key_of(self._held[start:at]) == wanted:
            self._begin(frame, at)

    def _begin(self, frame: _Frame, at: int) -> None:
        frame.within = (frame.matched or 0) + 1
        if frame.within == len(self.path):
            self._from = at + 1

    def _scalar(self, at: int) -> Iterator[Found]:
        """What stood where a record was wanted, if it was neither a list nor an object."""
        start, self._from = self._from, None
        if start is None or self._frames[-1].within != len(self.path):
            return
        if self._long or self._held[start:at].strip() not in (b"", b"null"):
            yield self._single(start, at)

    def _close(self, at: int, code: int) -> Iterator[Found]:
        frame = self._frames[-1]
        if frame.is_list != (code == _CLOSE_LIST):
            self._over = True
            yield Broken(self._line_at(at), "wrong_bracket", self._held[at : at + kept(self.longest)])
            return
        if frame.matched != len(self.path):
            yield from self._scalar(at)
        elif not frame.is_list and self._from is not None:
            yield self._single(self._from, at + 1)
        self._from, self._key, self._listed = None, None, False
        self._frames.pop()
        if not self._frames:
            self._tail = at + 1

    # -- records

    def _records(self, ends: NDArray[np.int64]) -> Iterator[Found]:
        """The records of a list that end at these marks, which the next one begins behind."""
        if not len(ends) or self._from is None:
            return
        starts = np.append(self._from, ends[:-1] + 1)
        behind = int(ends[-1]) + 1
        if self._long:
            yield self._single(self._from, int(ends[0]))
            starts, ends = starts[1:], ends[1:]
        there = [
            place
            for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
            if self._held[start : min(end, start + 64)].strip() or self._held[start:end].strip()
        ]
        self._from = behind
        if there:
            first = int(starts[there[0]])
            data = self._held[first : int(ends[there[-1]])]
            yield Piece(self._line_at(first), data, starts[there] - first, ends[there] - first)

    def _single(self, start: int, end: int) -> Found:
        if self._long:
            line, head, size = self._long
            self._long = None
            return Huge(line, TooLong(head, size + end))
        data = self._held[start:end]
        return Piece(self._line_at(start), data, np.zeros(1, np.int64), np.array([len(data)], np.int64))

    def _line_at(self, at: int) -> int:
        """The line of a place in the bytes held; to be asked in order."""
        self._line += self._held.count(b"\n", self._counted, at)
        self._counted = max(at, self._counted)
        return self._line

    # -- what is left

    def _let_go(self) -> Iterator[Found]:
        """Forget the bytes that nothing needs any more."""
        if self._over:
            return
        if self._tail is not None:
            yield from self._behind()
            return
        if self._key is not None and len(self._held) - self._key > self.longest:
            self._key = None  # whoever wrote that, it is no key of the path
        if self._from is not None and (self._long or len(self._held) - self._from > self.longest):
            line, head, size = self._long or (self._line_at(self._from), self._held[self._from :], -self._from)
            self._long = line, head[: kept(self.longest)], size + len(self._held)
            self._from = needed = len(self._held)
        else:
            needed = min(place for place in (self._from, self._key, len(self._held)) if place is not None)
        self._line_at(needed)
        self._held, self._counted = self._held[needed:], self._counted - needed
        self._from = None if self._from is None else self._from - needed
        self._key = None if self._key is None else self._key - needed

    def _behind(self) -> Iterator[Found]:
        """What follows the document: nothing, as a rule."""
        start = self._tail or 0
        rest = self._held[start:]
        if rest.strip():
            self._over = True
            start += len(rest) - len(rest.lstrip())
            yield Broken(self._line_at(start), "after_the_end", self._held[start:][: kept(self.longest)])
        else:
            self._line_at(len(self._held))
            self._held, self._counted, self._tail = b"", 0, 0

    def _end(self) -> Iterator[Found]:
        if not self._frames:
            return
        rest, start = b"", len(self._held)
        if self._long:
            yield self._single(0, len(self._held))
        elif self._from is not None:
            start = self._from
            rest = self._held[start:].strip()
            whole = self._scanner.depth == len(self.path) + 1 and not self._scanner.in_string
            if rest and self._listed and whole and rest.endswith(b"}"):
                yield self._single(start, len(self._held))
                rest, start = b"", len(self._held)
        yield Broken(self._line_at(start), "cut_off", rest[: kept(self.longest)])


def _key_of(text: bytes) -> str | None:
    try:
        key = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return key if isinstance(key, str) else None
