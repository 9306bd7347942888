"""Which encoding a file is in, told from all of its lines, and how its bytes become text."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from seedbed.core.errors import DataError
from seedbed.core.numbers import things

#: Stands, in UTF-8, for bytes that a wide encoding could not decode. It is no valid UTF-8 itself.
_MARK = "\udcff"
_MARK_BYTES = _MARK.encode("utf-8", "surrogatepass")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Encodings to choose among where a file is not UTF-8; of equally good ones the first is taken.
_KNOWN = (
    *("cp1252", "mac_roman", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255"),
    *("cp1256", "cp1257", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_SAMPLE = 20_000


@dataclass(frozen=True)
class Encoding:
    """How bytes become text.

    Attributes:
        name: Python's name of the encoding.
        fallback: In a file that is UTF-8 otherwise, the single-byte encoding of the bytes that are not.
        strict: Whether a record that does not decode is refused (the recipe named the encoding); else what does not
            decode becomes U+FFFD.
    """

    name: str = "utf-8"
    fallback: str | None = None
    strict: bool = False

    @property
    def wide(self) -> bool:
        """Whether bytes below 128 may be part of another character, so that the file is recoded before it is cut."""
        return self.name != "utf-8" and not _keeps_ascii(self.name)

    @property
    def _inside(self) -> str:
        return "utf-8" if self.wide else self.name

    def decode(self, data: bytes) -> str:
        """Text of bytes (of UTF-8 bytes, where `wide`: see `recoder`).

        Raises:
            UnicodeDecodeError: The bytes do not decode and `strict` is set.
        """
        if self.strict:
            return data.decode(self._inside)
        if self.fallback:
            return data.decode("utf-8", _fallback_handler(self.fallback))
        if self.wide:
            data = data.replace(_MARK_BYTES, "\ufffd".encode())
        return data.decode(self._inside, "replace")

    def utf8(self, data: bytes) -> bytes:
        """The same text as UTF-8; raises as `decode` does."""
        if self._inside == "utf-8":
            try:
                data.decode()
                return data
            except UnicodeDecodeError:
                pass
        return self.decode(data).encode()

    def show(self, data: bytes) -> str:
        """Text for people; never fails."""
        return replace(self, strict=False).decode(data)


@cache
def _keeps_ascii(name: str) -> bool:
    """Whether every character is one byte, and ASCII is itself."""
    try:
        if bytes(range(128)).decode(name) != bytes(range(128)).decode("ascii"):
            return False
    except UnicodeDecodeError:
        return False
    pairs = (bytes((high, low)) for high in range(128, 256) for low in (0x41, high))
    return all(len(pair.decode(name, "replace")) == 2 for pair in pairs)


@cache
def _fallback_handler(name: str) -> str:
    def decode(error: UnicodeError) -> tuple[str | bytes, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        return error.object[error.start : error.end].decode(name, "replace"), error.end

    handler = f"seedbed-{name}"
    codecs.register_error(handler, decode)
    return handler


def _mark(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _MARK, error.end


codecs.register_error("seedbed-mark", _mark)


def recoder(encoding: Encoding) -> codecs.IncrementalDecoder | None:
    """A decoder for the stream of a `wide` encoding; encode what it returns as UTF-8 with `surrogatepass`."""
    return codecs.getincrementaldecoder(encoding.name)("seedbed-mark") if encoding.wide else None


def by_mark(head: bytes) -> tuple[str, int] | None:
    """The encoding that the first bytes declare (or, for UTF-16, give away) and how many bytes to pass over."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, len(bom)
    start = head[:4096]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = max(len(start) // 2, 1)
    if 0 in start[:2] and max(even, odd) > 0.4 * half and min(even, odd) < 0.05 * half:
        return ("utf-16-le" if odd > even else "utf-16-be"), 0
    return None


@dataclass
class Census:
    """Counts which lines are not ASCII, and which of those are not UTF-8. Feed it the whole file, then ask `found`."""

    utf8: int = 0
    other: int = 0
    first_other: int = 0
    _lines: int = 0
    _rest: bytes = b""
    _sample: list[bytes] = field(default_factory=list)
    _sampled: int = 0

    def add(self, data: bytes) -> None:
        """The next bytes of the file."""
        data = self._rest + data
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > 1 << 22:  # no line is kept longer than this; do not cut inside a character
            cut = next((at for at in range(len(data) - 1, len(data) - 5, -1) if data[at] & 0xC0 != 0x80), len(data))
        self._rest = data[cut:]
        self._count(data[:cut])

    def _count(self, data: bytes) -> None:
        if not data.isascii():
            codes = np.frombuffer(data, np.uint8)
            ends = np.flatnonzero(codes == 10) + 1
            starts = np.concatenate([[0], ends[ends < len(data)]])
            high = np.flatnonzero(np.maximum.reduceat(codes, starts) >= 128)
            try:
                data.decode()
                self.utf8 += len(high)
            except UnicodeDecodeError:
                lines = data.split(b"\n")
                for place in high.tolist():
                    self._judge(lines[place], place)
        self._lines += data.count(b"\n")

    def _judge(self, line: bytes, place: int) -> None:
        try:
            line.decode()
            self.utf8 += 1
        except UnicodeDecodeError:
            self.other += 1
            self.first_other = self.first_other or self._lines + place + 1
            if self._sampled < _SAMPLE:
                self._sample.append(line[:_SAMPLE])
                self._sampled += len(line)

    def found(self) -> tuple[Encoding, str]:
        """The encoding, and a sentence about it where it is not plain UTF-8.

        A file is UTF-8 with lines of another encoding in it (cp1252 is assumed) when at least a tenth of its lines
        with non-ASCII characters are valid UTF-8, since other encodings are seldom valid UTF-8 by accident.
        """
        self._count(self._rest)
        self._rest = b""
        if not self.other:
            return Encoding(), ""
        where = f"{things(self.other, 'line')} (the first is line {self.first_other:,})"
        if self.utf8 * 9 >= self.other:
            return Encoding(fallback="cp1252"), f"{where} are not valid UTF-8; there, such bytes are read as cp1252"
        name = guess(b"\n".join(self._sample)[:_SAMPLE])
        return Encoding(name), f"{where} are not valid UTF-8; the file is read as {name}"


#: What a unit of mess weighs against one of language.
_MESS = 5


def guess(sample: bytes) -> str:
    """The likeliest encoding of text that is not UTF-8 (by charset-normalizer's measures of mess and of language)."""
    from charset_normalizer import from_bytes

    # Where most letters are ASCII, language hardly tells encodings apart, and a little mess tells much.
    scored = [
        (match.coherence - _MESS * match.chaos, -_KNOWN.index(name), name)
        for match in from_bytes(sample, cp_isolation=list(_KNOWN))
        for name in (match.encoding, *match.could_be_from_charset)
        if name in _KNOWN
    ]
    if scored:
        return max(scored)[2]
    try:
        sample.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "mac_roman"  # gives every byte a meaning


def named(name: str, at: str) -> Encoding:
    """The encoding that a recipe names.

    Raises:
        DataError: There is no such text encoding.
    """
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except LookupError:
        raise DataError(f"there is no encoding {name!r}", at=at, hint="utf-8, cp1252, utf-16, …") from None
    name = "utf-8" if found.name in ("utf-8", "utf-8-sig", "ascii") else found.name
    return Encoding(name, strict=True)
