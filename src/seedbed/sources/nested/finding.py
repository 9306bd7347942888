"""Where the records of a JSON document are, told from all of it: the list of objects that lies least deep."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import orjson

from .scanning import Scanner

Path = tuple[str, ...]

#: Levels of objects that are looked through.
_DEEPEST = 8
#: Lists that are named, where there are several.
_SHOWN = 6
#: Bytes before a colon in which a key is looked for.
_LONGEST_KEY = 1 << 10
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*"\s*\Z', re.DOTALL)
_OBJECT, _LIST, _COLON = b"{[:"


@dataclass
class Lists:
    """Finds the lists that begin with an object and are reached through objects alone. Feed it the whole document.

    Attributes:
        found: Keys that lead to each of those that lie least deep, in order; no more than are worth naming.
    """

    found: list[Path] = field(default_factory=list)
    _scanner: Scanner = field(default_factory=Scanner)
    _open: list[Path | None] = field(default_factory=list)  # what leads to each open bracket; none in and to lists
    _key: str = ""
    _begun: Path | None = None  # leads to a list of which nothing was seen yet
    _deepest: int = _DEEPEST
    _before: bytes = b""

    def feed(self, data: bytes) -> None:
        """The next bytes of the document."""
        marks = self._scanner.marks(data)
        data, before = self._before + data, len(self._before)
        places = np.flatnonzero(marks.depth <= self._deepest + 1)
        last = -1
        for place, at, code, depth in zip(
            places.tolist(),
            (marks.at[places] + before).tolist(),
            marks.code[places].tolist(),
            marks.depth[places].tolist(),
            strict=True,
        ):
            begun, self._begun = self._begun, None
            if begun is not None and place == last + 1 and code == _OBJECT:
                self._note(begun)
            last = place
            if depth <= self._deepest:
                self._step(data, at, code, depth)
        if last != len(marks.at) - 1:
            self._begun = None
        self._before = data[-_LONGEST_KEY:]

    def _step(self, data: bytes, at: int, code: int, depth: int) -> None:
        if code == _COLON:
            if len(self._open) == depth and depth and self._open[-1] is not None:
                self._key = _key_before(data, at)
        elif code in (_OBJECT, _LIST):
            del self._open[depth:]
            above: Path | None = self._open[-1] if self._open else ()
            here = None if above is None else (*above, self._key) if depth else ()
            self._open.append(here if code == _OBJECT else None)
            self._begun = here if code == _LIST else None
        elif depth < len(self._open):  # a bracket that closes
            del self._open[depth:]

    def _note(self, path: Path) -> None:
        if self.found and len(path) < len(self.found[0]):
            self.found.clear()
        self._deepest = len(path)
        if len(self.found) < _SHOWN:
            self.found.append(path)


def _key_before(data: bytes, at: int) -> str:
    found = _KEY.search(data, max(at - _LONGEST_KEY, 0), at)
    try:
        return str(orjson.loads(found[0])) if found else ""
    except orjson.JSONDecodeError:
        return ""
