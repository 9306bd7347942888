"""What the journal of a snapshot tells: responses, in the generations in which they were fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedbed.core.source import Origin


@dataclass(frozen=True)
class Kept:
    """One response."""

    name: str
    """Its place in row ids, unique in its generation."""
    sha256: str
    size: int
    origin: Origin
    state: Mapping[str, Any] = field(default_factory=dict)
    """What the source needs to go on from here, as JSON: the next page, the cursor, …"""


@dataclass
class Generation:
    """What one fetch brought."""

    more: bool
    """Whether it adds to the one before."""
    began: str
    kept: dict[str, Kept] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    mending: bool = False
    """Whether it was whole before something of it was damaged."""
    lost: set[str] = field(default_factory=set)
    """Names of what is there no more, and is to be fetched again."""

    @property
    def there(self) -> list[Kept]:
        """What is not lost, in order."""
        return [kept for name, kept in self.kept.items() if name not in self.lost]

    def take(self, told: dict[str, Any]) -> None:
        """Take in a line of the journal."""
        if "kept" in told:
            kept = Kept(**{**told["kept"], "origin": Origin(**told["kept"]["origin"])})
            self.kept[kept.name] = kept
        elif "note" in told:
            self.notes.append((told.pop("note"), told))
        elif "mend" in told:
            self.ended, self.mending = "", True
        elif "end" in told:
            self.ended, self.facts, self.mending = told["end"], told["facts"], False


def generations(journal: Path) -> list[Generation]:
    """The generations of a journal; a line that a killed process left in its middle is passed over."""
    found: list[Generation] = []
    for told in _lines(journal):
        if "begin" in told:
            found.append(Generation(bool(told["more"]), told["begin"]))
        elif "gone" in told:
            forget(found, told["gone"])
        elif found:
            found[told.pop("of", -1)].take(told)
    return found


def forget(found: list[Generation], gone: list[tuple[int, str]]) -> None:
    """Leave out responses that were lost and not to be had again, by the place of their generation and their name."""
    for place, name in gone:
        found[place].kept.pop(name, None)
        found[place].lost.discard(name)


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    for line in journal.read_bytes().split(b"\n") if journal.exists() else ():
        with suppress(ValueError):
            yield json.loads(line)
