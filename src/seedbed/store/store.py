"""Artefacts on disk, each under the digest of what it was made from. What is whole is never made again.

Under the store's root, KIND/KEY is an artefact. `done.json` seals it and holds facts about it. A unit (`units/KEY`) is
the outcome of one piece of work, a block of a source or a shard of the pass before; a pass is a list of units.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import xxhash

from seedbed.core.context import Context
from seedbed.core.errors import DataError

from .places import arriving, beside, left_below, move_into_place, owner, sweep, sweep_workspaces, write_whole

UNITS = "units"
_FILES = "files"
_PIECE = 1 << 20


@dataclass(frozen=True)
class Artefact:
    """A folder of files that were made from what its key says. Parts of it appear one by one; `done` seals it."""

    folder: Path

    @property
    def done(self) -> Path:
        """The seal: there once the artefact is whole."""
        return self.folder / "done.json"

    @property
    def whole(self) -> bool:
        """Whether everything is there."""
        return self.done.exists()

    def seal(self, facts: dict[str, Any], *files: str) -> None:
        """Say that everything is there, with facts about it and the hashes of files that `intact` is to look at."""
        hashes = {name: _hash_of(self.folder / name) for name in files}
        write_whole(self.done, json.dumps({**facts, _FILES: hashes}).encode())

    @property
    def intact(self) -> bool:
        """Whether everything is there and the sealed files hold what they held: disks and people make mistakes."""
        try:
            return all(_hash_of(self.folder / name) == known for name, known in self._sealed()[_FILES].items())
        except (OSError, ValueError, KeyError):
            return False

    def forget(self) -> None:
        """Take everything away, at once: a worker that still writes finds no folder."""
        if not self.folder.exists():
            return
        away = beside(self.folder, "old")
        with suppress(OSError):
            self.folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)

    def facts(self) -> dict[str, Any]:
        """What `seal` was given.

        Raises:
            ValueError: The seal is damaged.
        """
        return {key: value for key, value in self._sealed().items() if key != _FILES}

    def _sealed(self) -> dict[str, Any]:
        sealed = json.loads(self.done.read_bytes())
        if not isinstance(sealed, dict):
            raise ValueError(f"{self.done} is damaged")
        return sealed


@dataclass(frozen=True)
class Store:
    """The store's folder; `.seedbed` beside the recipe unless told otherwise."""

    root: Path
    used: set[str] = field(default_factory=set, compare=False)
    """Artefacts that were asked for, as KIND/KEY; units are named by the artefacts that are made of them."""

    @classmethod
    def of(cls, context: Context) -> Self:
        """The store of a run, which notes what the run uses."""
        return cls(context.store, context.used)

    def artefact(self, kind: str, key: str) -> Artefact:
        """The artefact of a key; its folder is made when it is not there."""
        folder = self._folder(kind, key)
        self.used.add(f"{kind}/{folder.name}")
        self._make(folder)
        return Artefact(folder)

    def unit(self, key: str) -> Artefact:
        """The unit of a key; its folder is not made: it appears whole (`kept`)."""
        return Artefact(self._folder(UNITS, key))

    def units_begin(self) -> None:
        """Make the folder of the units.

        Raises:
            DataError: The store cannot be written.
        """
        self._make(self.root / UNITS)

    def look_at(self, kind: str, key: str) -> Artefact:
        """The artefact of a key as it is: nothing is made, and the run does not use it."""
        return Artefact(self._folder(kind, key))

    def holds(self, kind: str, key: str) -> bool:
        """Whether the artefact of a key is whole; asks without making anything."""
        return Artefact(self._folder(kind, key)).whole

    def _folder(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:32]

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"the store cannot be written ({error.strerror})",
                at=str(self.root),
                hint="set SEEDBED_STORE to a folder that you may write to",
            ) from None

    @contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """A folder to build something in; gone afterwards unless it was moved away."""
        parent = self.root / "work"
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-{owner()}-", dir=parent))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed processes left half-made."""
        sweep_workspaces(self.root / "work")
        # A unit appears whole, so nothing half-made is inside one; and they are many.
        sweep(left_below(self.root, but=self.root / UNITS))
        sweep((self.root / UNITS).glob(".*"))


def _hash_of(file: Path) -> str:
    """XXH3 of a file: told apart from what chance does to it, not from what malice could."""
    hashed = xxhash.xxh3_128()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            hashed.update(piece)
    return str(hashed.hexdigest())


@contextmanager
def kept(unit: Artefact) -> Iterator[Path]:
    """A folder to write a unit's outcome to, its seal last; which becomes the unit if the body ends well.

    Where another process was faster, its outcome stays: both are the same.
    """
    with arriving(unit.folder, replacing=False) as folder:
        folder.mkdir()
        yield folder


__all__ = ["UNITS", "Artefact", "Store", "arriving", "kept", "move_into_place", "write_whole"]
