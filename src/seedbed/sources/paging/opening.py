"""From the bytes of an answer to values: JSON and XML, whatever the header says, and nothing else."""

from __future__ import annotations

from typing import Any, Literal

import orjson

from seedbed.core.errors import DataError
from seedbed.core.showing import clean
from seedbed.sources.reading.encoding import by_mark

from .elements import tree_of

Format = Literal["json", "xml"]

_PAGE = (b"<!doctype html", b"<html")
_SHOWN = 120


def format_of(body: bytes, media_type: str) -> Format:
    """What an answer is written in, by its header, else by its first character."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.endswith(("/xml", "+xml")):
        return "xml"
    if kind.endswith(("/json", "+json")):
        return "json"
    return "xml" if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" else "json"


def opened(body: bytes, written: Format, *, of: str) -> Any:
    """The values of an answer, as JSON has them; of XML, a `Tree`.

    Args:
        body: The answer.
        written: What it is to be.
        of: The answer, for messages.

    Raises:
        DataError: It is something else, or broken.
    """
    marked = by_mark(body)
    if marked and written == "json":
        body = body[marked[1] :].decode(marked[0], "replace").encode() if marked[0] != "utf-8" else body[marked[1] :]
    start = body[:512].lstrip().lower()
    if start.startswith(_PAGE):
        raise DataError(f"{of} is a web page, not {written.upper()}", hint="a page to log in, or of an error?")
    if not body.strip():
        raise DataError(f"{of} is empty, not {written.upper()}", hint="is it the right address?")
    if written == "xml":
        return tree_of(body, of=of)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        said = error.msg.partition(": line ")[0]
        raise DataError(
            f"{of} is no JSON ({said}, line {error.lineno}, column {error.colno}): {_start(body)}",
            hint="is it the right address? `format: xml` reads XML",
        ) from None


def _start(body: bytes) -> str:
    return repr(clean(" ".join(body[: 4 * _SHOWN].decode(errors="replace").split()))[:_SHOWN])
