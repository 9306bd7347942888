"""What runs that are not over use: each writes down the artefacts that it asks for, so that nobody removes them.

Under the store's root, `going/PID@HOST-….txt` lists the artefacts (KIND/KEY, a line each) of a run. It goes when the
run is over. One that a killed process left says what an interrupted run would go on with.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from seedbed.core.errors import SeedbedError

from .places import owner, owner_is_gone
from .runs import locked

GOING = "going"
#: What a run asks for only until something that is made of it is whole.
_ON_THE_WAY = ("keys/", "pairs/")


class Journal(set[str]):
    """Artefacts that a run uses; from `begin` to `end` they stand on disk, too, each before it is used."""

    def __init__(self, used: Iterable[str] = ()) -> None:
        super().__init__(used)
        self._path: Path | None = None

    @classmethod
    @contextmanager
    def kept_by_interruptions(cls) -> Iterator[Self]:
        """A journal that ends with the body, unless that is interrupted: it says what the next run goes on with."""
        journal = cls()
        try:
            yield journal
            journal.end()
        except SeedbedError:
            journal.end()
            raise

    @classmethod
    @contextmanager
    def of_work(cls, root: Path) -> Iterator[Self]:
        """As `kept_by_interruptions`, for what is no run and enters no index: it begins and ends with the body."""
        with cls.kept_by_interruptions() as journal:
            journal.begin(root)
            yield journal
            forget_resumed(root, journal)

    def begin(self, root: Path) -> None:
        """Start to write down what is used of a store."""
        self.end()
        self._path = root / GOING / f"{owner()}-{secrets.token_hex(3)}.txt"
        try:
            self._write("".join(f"{name}\n" for name in sorted(self)))
        except OSError:  # a store that cannot be written is told by whoever needs it
            self._path = None

    def add(self, name: str) -> None:
        """Note an artefact."""
        if name not in self:
            super().add(name)
            self._write(f"{name}\n")

    def end(self) -> None:
        """The run is over."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def _write(self, lines: str) -> None:
        if self._path is None:
            return
        with untouched(self._path.parents[1]), self._path.open("a", encoding="utf-8") as file:
            file.write(lines)


def untouched(root: Path) -> AbstractContextManager[None]:
    """While the body runs, nobody adds to a journal of a store, or removes an artefact of it."""
    return locked(root / GOING / ".lock")


@dataclass(frozen=True)
class Going:
    """A journal on disk."""

    path: Path
    alive: bool
    """Whether its process may still run; if not, the run was interrupted."""
    used: frozenset[str]


def journals(root: Path) -> list[Going]:
    """The journals of a store."""
    found = []
    for path in sorted((root / GOING).glob("*.txt")):
        try:
            used = frozenset(path.read_text("utf-8").split())
        except FileNotFoundError:  # that run has just ended
            continue
        found.append(Going(path, not owner_is_gone(path.name.rpartition("-")[0]), used))
    return found


def forget_resumed(root: Path, used: set[str]) -> None:
    """Remove the journals of interrupted runs that used nothing but what a run that came to its end used."""
    for one in journals(root):
        needed = {name for name in one.used if not name.startswith(_ON_THE_WAY)}
        if not one.alive and needed <= used:
            one.path.unlink(missing_ok=True)
