"""Text that must be UTF-8, after the mark that it may begin with."""

from __future__ import annotations

from seedbed.core.errors import DataError

from .encoding import by_mark
from .kinds import refuse_other
from .stream import Stream

_BOM = b"\xef\xbb\xbf"


class AfterMark:
    """The bytes of a file after a UTF-8 mark of `mark` bytes, if it has one; its first bytes stay in `head`.

    Args:
        stream: The file, at its start.
        at: The file, for messages.
        wanted: What the source reads, for messages.
    """

    def __init__(self, stream: Stream, at: str, wanted: str) -> None:
        self._stream, self._at, self._wanted, self.head = stream, at, wanted, b""
        self.mark = 0

    @property
    def position(self) -> int:
        """Stored bytes read so far."""
        return self._stream.position

    def read(self, size: int) -> bytes:
        """At most `size` bytes (of the first ones, at least 1,024 if there are so many); none at the end.

        Raises:
            DataError: The file is of another kind, or in another encoding.
        """
        if self.head:
            return self._stream.read(size)
        data = self._stream.read(max(size, 1024))
        refuse_other(data, at=self._at, wanted=self._wanted)
        marked = by_mark(data)
        if marked and marked[0] != "utf-8":
            raise DataError(f"is in {marked[0]}; JSON is UTF-8", at=self._at, hint="recode the file (iconv)")
        self.head = data
        self.mark = len(data) - len(data.removeprefix(_BOM))
        return data.removeprefix(_BOM) or (self._stream.read(size) if data else b"")
