"""A response's body as it comes: unpacked, no more of it than wanted, and what its headers say it is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from .failing import FetchError, TooLarge, failed

#: What is asked for: what the standard library unpacks piece by piece, so that a small answer cannot fill the memory.
ACCEPTED = "gzip, deflate"
_HEADS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_PIECE = 1 << 20


def unpacked(pieces: Iterator[bytes], coding: str, most: int) -> bytes:
    """The body of a response.

    Args:
        pieces: As they come.
        coding: The header Content-Encoding.
        most: Bytes wanted at most, unpacked.

    Raises:
        TooLarge: It is larger; the rest is not read.
        FetchError: It is not packed as its header says.
    """
    body = bytearray()
    for piece in _plain(pieces, coding.strip().lower()):
        body += piece
        if len(body) > most:
            raise TooLarge(
                f"the answer has more than {most:,} bytes", hint="is it the right address? `most_bytes` allows more"
            )
    return bytes(body)


def start_of(pieces: Iterator[bytes], coding: str, most: int) -> bytes:
    """As `unpacked`, but the first bytes of what is larger, and what could be unpacked of what is damaged."""
    body = bytearray()
    try:
        for piece in _plain(pieces, coding.strip().lower()):
            body += piece
            if len(body) >= most:
                break
    except FetchError:
        pass
    return bytes(body[:most])


def _plain(pieces: Iterator[bytes], coding: str) -> Iterator[bytes]:
    if coding in ("", "identity"):
        yield from pieces
        return
    if coding not in _HEADS:
        raise failed("body", f"the answer is packed as {coding[:40]!r}, which was not asked for ({ACCEPTED} was)")
    unpacker, first = zlib.decompressobj(_HEADS[coding]), True
    for piece in pieces:
        if first and coding == "deflate" and piece and not _is_zlib(piece):
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # what many servers mean by it
        first = first and not piece
        while piece:
            if unpacker.eof:  # gzip may be several, one after the other; after others nothing follows
                unpacker = zlib.decompressobj(_HEADS[coding])
            try:
                yield unpacker.decompress(piece, _PIECE)
            except zlib.error:
                raise failed("body", f"the answer is not {coding}, as its header Content-Encoding says") from None
            piece = unpacker.unconsumed_tail or unpacker.unused_data
    if not first and not unpacker.eof:
        raise failed("body", f"the answer's {coding} ends in the middle", again=True)


def _is_zlib(head: bytes) -> bool:
    """Whether bytes begin as RFC 1950 says."""
    return head[0] & 15 == 8 and (len(head) < 2 or int.from_bytes(head[:2]) % 31 == 0)
