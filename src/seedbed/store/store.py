"""Artefacts on disk, each under the digest of what it was made from. What is whole is never made again."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.errors import DataError

from .places import arriving, left_below, move_into_place, owner, sweep, sweep_workspaces, write_whole


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
        with suppress(OSError):
            shutil.rmtree(self.folder.rename(tempfile.mkdtemp(dir=self.folder.parent)), ignore_errors=True)

    def facts(self) -> dict[str, Any]:
        """What `seal` was given."""
        facts: dict[str, Any] = json.loads(self.done.read_text("utf-8"))
        return facts


@dataclass(frozen=True)
class Store:
    """The store's folder; `.seedbed` beside the recipe unless told otherwise."""

    root: Path

    def artefact(self, kind: str, key: str) -> Artefact:
        """The artefact of a key; its folder is made when it is not there."""
        folder = self.root / kind / key[:32]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"the store cannot be written ({error.strerror})",
                at=str(self.root),
                hint="set SEEDBED_STORE to a folder that you may write to",
            ) from None
        return Artefact(folder)

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
        sweep(left_below(self.root))


__all__ = ["Artefact", "Store", "arriving", "move_into_place", "write_whole"]
