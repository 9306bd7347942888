"""Text files in any encoding: read once to learn which, then read as UTF-8 (or as what keeps ASCII)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seedbed.core.source import InputFile

from .blocks import BLOCK
from .encoding import Census, Encoding, by_mark, named, recoder
from .kinds import refuse_binary, refuse_other
from .stream import Stream


@dataclass(frozen=True)
class Surveyed:
    """What reading a file to its end told.

    Attributes:
        file: The file, with its digest.
        head: Its start, without a mark; UTF-8 if its encoding is wide.
        encoding: How its bytes become text.
        bom: Bytes of its mark.
        note: A sentence about the encoding, where it is not plain UTF-8.
    """

    file: InputFile
    head: bytes
    encoding: Encoding
    bom: int
    note: str


def surveyed(
    file: InputFile,
    given: str | None,
    *,
    wanted: str,
    head: int,
    advance: Callable[[float], None],
    size: int = BLOCK,
    markup: bool = False,
    kept_by: str = "",
) -> Surveyed:
    """Read a file to its end.

    Args:
        file: Which.
        given: The encoding, if the recipe names it.
        wanted: What the source reads, for messages.
        head: Bytes to return of its start.
        advance: Told of the stored bytes that were read.
        size: Bytes to read at a time.
        markup: Whether web pages and XML are welcome.
        kept_by: What has them read where they are not, for the hint.

    Raises:
        DataError: It cannot be read, or is plainly no text.
    """
    told, start, census = 0, b"", Census()
    with Stream(file.url, hashed=True) as stream:
        while data := stream.read(size):
            if len(start) < head:
                start += data[: head - len(start)]
            if not given:
                census.add(data)
            advance(stream.position - told)
            told = stream.position
        digest = stream.sha256()
    refuse_other(start, at=file.url, wanted=wanted, markup=markup, kept_by=kept_by)
    marked = by_mark(start)
    note, bom = "", 0
    if given:
        encoding = named(given, file.url)
        if encoding.name in ("utf-16", "utf-32") or (marked and marked[0] == encoding.name):
            encoding, bom = Encoding(marked[0] if marked else encoding.name, strict=True), marked[1] if marked else 0
    elif marked and marked[0] != "utf-8":
        encoding, bom = Encoding(marked[0]), marked[1]
        note = f"is read as {marked[0]}"
    else:
        bom = marked[1] if marked else 0
        encoding, note = census.found()
    start = _recoded(start[bom:], encoding)
    refuse_binary(start, at=file.url, wanted=wanted)
    return Surveyed(replace(file, sha256=digest), start, encoding, bom, note)


def _recoded(data: bytes, encoding: Encoding) -> bytes:
    decoder = recoder(encoding)
    return decoder.decode(data).encode("utf-8", "surrogatepass") if decoder else data


class Text:
    """The bytes of a file after its byte-order mark; a wide encoding is recoded to UTF-8 on the way."""

    def __init__(self, stream: Stream, encoding: Encoding, bom: int) -> None:
        self._stream, self._bom = stream, bom
        self._recoder = recoder(encoding)

    @property
    def position(self) -> int:
        """Stored bytes read so far."""
        return self._stream.position

    def read(self, size: int) -> bytes:
        """At most `size` bytes, or a few more once recoded; none at the end."""
        while True:
            raw = self._stream.read(size)
            data, self._bom = raw[self._bom :], max(self._bom - len(raw), 0)
            if self._recoder:
                data = self._recoder.decode(data, final=not raw).encode("utf-8", "surrogatepass")
            if data or not raw:
                return data
