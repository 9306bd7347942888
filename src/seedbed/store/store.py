"""Artefacts on disk, each under the digest of what it was made from. What is whole is never made again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.errors import DataError


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
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A path to write to that becomes `path` only when the body ends well."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    with arriving(path) as partial:
        partial.write_bytes(data)


def move_into_place(built: Path, place: Path) -> None:
    """Make a finished folder appear at `place`, replacing what is there in one step as far as the system allows."""
    place.parent.mkdir(parents=True, exist_ok=True)
    near = place.with_name(f".{place.name}.{os.getpid()}.partial")
    old = place.with_name(f".{place.name}.{os.getpid()}.old")
    try:
        try:
            built.rename(near)
        except OSError:  # another file system
            shutil.copytree(built, near)
        if place.exists():
            place.rename(old)
        near.rename(place)
    finally:
        shutil.rmtree(near, ignore_errors=True)
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(old, ignore_errors=True)
