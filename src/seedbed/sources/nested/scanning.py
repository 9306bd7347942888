"""Where brackets, commas and colons of a JSON text stand outside its strings, and how deep. Nothing is parsed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUOTE, _BACKSLASH = 34, 92
#: What may begin, end or part values.
_SPECIAL = np.zeros(256, bool)
_SPECIAL[list(b'"{}[],:')] = True
_STEP = np.zeros(256, np.int64)
_STEP[list(b"{[")] = 1
_STEP[list(b"}]")] = -1


@dataclass(frozen=True)
class Marks:
    """What parts the values of some bytes.

    Attributes:
        at: Offset of each mark, shape (n,).
        code: The character there: one of `{}[],:`, shape (n,).
        depth: How many brackets are open around it (a bracket does not stand in itself), shape (n,).
    """

    at: NDArray[np.int64]
    code: NDArray[np.uint8]
    depth: NDArray[np.int64]


class Scanner:
    """Finds the marks of a text that comes in pieces, cut anywhere."""

    def __init__(self) -> None:
        self.depth = 0
        self.in_string = False
        self._escaped = False  # the next byte stands behind a backslash

    def marks(self, data: bytes) -> Marks:
        """Marks of the next bytes."""
        codes = np.frombuffer(data, np.uint8)
        at = np.flatnonzero(_SPECIAL[codes])
        code = codes[at]
        quote = code == _QUOTE
        escaped = self._escapes(data, codes)
        if len(escaped):
            behind = np.zeros(len(data) + 1, bool)
            behind[escaped] = True
            real = quote & ~behind[at]
        else:
            real = quote
        quotes = np.cumsum(real) + self.in_string
        outside = ~quote & (quotes & 1 == 0)
        if len(quotes):
            self.in_string = bool(quotes[-1] & 1)
        at, code = at[outside], code[outside]
        step = _STEP[code]
        after = self.depth + np.cumsum(step)
        if len(after):
            self.depth = int(after[-1])
        return Marks(at, code, after - (step == 1))

    def _escapes(self, data: bytes, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Offsets of the bytes that stand behind a backslash which is not itself behind one."""
        before, self._escaped = self._escaped, False
        if not before and b"\\" not in data:
            return np.empty(0, np.int64)
        found = np.flatnonzero(codes == _BACKSLASH)
        place = np.arange(len(found))
        starts = np.diff(found, prepend=-2) != 1
        nth = place - np.maximum.accumulate(np.where(starts, place, 0))
        if before and len(found) and found[0] == 0:  # the run goes on from the bytes before
            run = int(np.argmin(np.append(np.diff(found) == 1, False))) + 1
            nth[:run] += 1
        escaped = found[nth % 2 == 0] + 1
        if len(escaped) and escaped[-1] == len(data):
            self._escaped = True
        return np.insert(escaped, 0, 0) if before else escaped
