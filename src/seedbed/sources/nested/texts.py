"""The records of a block of JSON, each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from seedbed.sources.reading.blocks import Malformed, kept

from .document import Piece
from .objects import FaultError, row_of


class Texts:
    """The records of a block, one after the other."""

    def __init__(self, pieces: tuple[Piece, ...], longest: int) -> None:
        self._longest = longest
        self._places = [
            (piece, start, end)
            for piece in pieces
            for start, end in zip(piece.starts.tolist(), piece.ends.tolist(), strict=True)
        ]
        self._pieces = pieces

    def values(self) -> Iterator[Any]:
        """Each record: its value where its whole piece is JSON, else its bytes."""
        for piece in self._pieces:
            try:
                found = orjson.loads(b"[%b]" % piece.data[piece.starts[0] : piece.ends[-1]])
            except orjson.JSONDecodeError:
                found = []
            if len(found) == len(piece.ends) and (piece.ends - piece.starts).max() <= self._longest:
                yield from found
            else:
                yield from (piece.data[s:e] for s, e in zip(piece.starts.tolist(), piece.ends.tolist(), strict=True))

    def row(self, text: bytes, depth: int) -> dict[str, Any]:
        """A row of a record's bytes.

        Raises:
            FaultError: It is none.
        """
        if len(text) > self._longest:
            raise FaultError("too_long", bytes=len(text), limit=self._longest)
        return row_of(text.strip(), depth)

    def malformed(self, number: int, place: int, fault: FaultError) -> Malformed:
        """What the ledger says of a record."""
        piece, start, end = self._places[place]
        text = piece.data[start:end]
        line = piece.line + piece.data.count(b"\n", 0, start + len(text) - len(text.lstrip()))
        evidence = dict(fault.evidence)
        if fault.reason == "not_json":
            evidence["line"] = line + evidence.get("line", 1) - 1
        raw = text.strip()[: kept(self._longest)] if fault.reason == "too_long" else text.strip()
        return Malformed(number, line, fault.reason, evidence, raw.decode(errors="replace"))
