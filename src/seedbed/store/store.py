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

from seedbed.core.context import Context
from seedbed.core.errors import DataError

from .places import arriving, beside, left_below, move_into_place, owner, sweep, sweep_workspaces, write_whole

UNITS = "units"


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

    def seal(self, facts: dict[str, Any]) -> None:
        """Say that everything is there, with facts about it."""
        write_whole(self.done, json.dumps(facts).encode())

    def forget(self) -> None:
        """Take everything away, at once: a worker that still writes finds no folder."""
        if not self.folder.exists():
            return
        away = beside(self.folder, "old")
        with suppress(OSError):
            self.folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)

    def facts(self) -> dict[str, Any]:
        """What `seal` was given."""
        facts: dict[str, Any] = json.loads(self.done.read_text("utf-8"))
        return facts


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


@contextmanager
def kept(unit: Artefact) -> Iterator[Path]:
    """A folder to write a unit's outcome to, its seal last; which becomes the unit if the body ends well.

    Where another process was faster, its outcome stays: both are the same.
    """
    with arriving(unit.folder, replacing=False) as folder:
        folder.mkdir()
        yield folder


__all__ = ["UNITS", "Artefact", "Store", "arriving", "kept", "move_into_place", "write_whole"]
