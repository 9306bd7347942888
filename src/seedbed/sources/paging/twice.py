"""Records that an API hands out more than once: the newest stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from .paths import Missing, at

#: By file: the record, why it is left out, and which one stays.
LeftOut = dict[int, dict[int, tuple[str, str]]]


@dataclass
class Twice:
    """Finds records that came again.

    Attributes:
        key: Path of what tells records apart; none: a record is the same as another that is equal in all its values.
        left_out: What was found so far.
    """

    key: str | None
    left_out: LeftOut = field(default_factory=dict)
    _seen: dict[bytes, tuple[int, int, str, bytes]] = field(default_factory=dict)

    def add(self, file: int, name: str, records: list[Any]) -> None:
        """The records of the next page."""
        for number, record in enumerate(records, 1):
            whole = _digest(record)
            key = whole if self.key is None else self._key(record)
            if key is None:  # nothing tells it from others
                continue
            place = f"{name}#{number}"
            before = self._seen.get(key)
            if before and before[3] == whole:
                self.left_out.setdefault(file, {})[number] = ("repeated", before[2])
                continue
            if before:
                self.left_out.setdefault(before[0], {})[before[1]] = ("replaced", place)
            self._seen[key] = (file, number, place, whole)

    def _key(self, record: Any) -> bytes | None:
        found = at(record, self.key or "")
        return None if found is Missing or found is None else _digest(found)


def _digest(value: Any) -> bytes:
    return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
