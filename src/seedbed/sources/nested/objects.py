"""From the text of one JSON object to a row, or to what is wrong with it."""

from __future__ import annotations

from typing import Any

import orjson

from .columns import MOST_COLUMNS, kind_of
from .flattening import SameColumnError, flattened


class FaultError(Exception):
    """A record is no row.

    Attributes:
        reason: For the ledger.
        evidence: As JSON.
    """

    def __init__(self, reason: str, **evidence: Any) -> None:
        self.reason, self.evidence = reason, evidence
        super().__init__(reason)


def row_of(text: bytes, depth: int = 0) -> dict[str, Any]:
    """A JSON object as a row, its inner objects flattened to so many levels.

    Raises:
        FaultError: `bad_encoding`, `not_json`, `not_an_object`, `too_many_keys` or `same_column`.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _fault_of(text, error) from None
    return as_row(found, depth)


def as_row(found: Any, depth: int) -> dict[str, Any]:
    """A value of a document as a row.

    Raises:
        FaultError: `not_an_object`, `too_many_keys` or `same_column`.
    """
    if type(found) is not dict:
        raise FaultError("not_an_object", found=kind_of(found))
    try:
        row = flattened(found, depth)
    except SameColumnError as error:
        raise FaultError("same_column", key=error.column) from None
    if len(row) > MOST_COLUMNS:
        raise FaultError("too_many_keys", keys=len(row), limit=MOST_COLUMNS)
    return row


def _fault_of(text: bytes, error: orjson.JSONDecodeError) -> FaultError:
    try:
        text.decode()
    except UnicodeDecodeError as wrong:
        return FaultError("bad_encoding", encoding="utf-8", bytes=text[wrong.start : wrong.start + 4].hex(" "))
    place = {"column": error.colno} if error.lineno == 1 else {"line": error.lineno, "column": error.colno}
    return FaultError("not_json", error=error.msg.partition(": line ")[0], **place)
