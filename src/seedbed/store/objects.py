"""Files by the SHA-256 of their content: what datasets and models are made of, kept once however many runs have them.

Under the store's root, `objects/AB/ABCD…` is a file. It shares its blocks with the run's own file where the file system
can do that (a hard link), so that keeping costs no room.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seedbed.core import digest
from seedbed.core.errors import DataError

from .places import arriving
from .runs import KeptFile

OBJECTS = "objects"
#: Smaller files are copied: people edit a card or a README in the run's folder, and a link would change with it.
LINKED_FROM = 65_536
_PIECE = 1 << 20


@dataclass(frozen=True)
class Objects:
    """The files that a store keeps."""

    root: Path
    """The store's."""

    def place(self, sha256: str) -> Path:
        """Where the file of a digest is."""
        return self.root / OBJECTS / sha256[:2] / sha256

    def keep_folder(self, folder: Path) -> tuple[KeptFile, ...]:
        """Keep every file of a folder; their names, sorted."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return tuple(self._keep(path, path.relative_to(folder).as_posix()) for path in files)

    def _keep(self, path: Path, name: str) -> KeptFile:
        sha256, size = digest.of_file(path), path.stat().st_size
        place = self.place(sha256)
        if not place.exists() or not (place.samefile(path) or digest.of_file(place) == sha256):
            with arriving(place) as partial:
                _link_or_copy(path, partial)
        return KeptFile(name=name, sha256=sha256, bytes=size)

    def bring(self, files: Sequence[KeptFile], folder: Path, *, what: str) -> None:
        """Copy files to a new folder, each checked while it is copied.

        Raises:
            DataError: The store no longer holds a file, or it is damaged.
        """
        for file in files:
            name = PurePosixPath(file.name)
            if name.is_absolute() or ".." in name.parts:
                raise DataError("a file's name leads out of the folder", at=f"{what}: {file.name[:80]!r}")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            hint = "run the recipe again to make it anew" + ("; was the run's own file edited?" if file.bytes else "")
            try:
                found = _copied(self.place(file.sha256), target)
            except FileNotFoundError:
                raise DataError("the store no longer holds this file", at=f"{what}: {file.name}", hint=hint) from None
            if found != file.sha256:
                raise DataError("this file of the store is damaged", at=f"{what}: {file.name}", hint=hint)


def _link_or_copy(path: Path, place: Path) -> None:
    if path.stat().st_size >= LINKED_FROM:
        with suppress(OSError):  # another file system, or one without hard links
            os.link(path, place)
            return
    shutil.copyfile(path, place)


def _copied(path: Path, target: Path) -> str:
    """Copy a file; the digest of what was copied."""
    told = hashlib.sha256()
    with path.open("rb") as source, target.open("wb") as out:
        while piece := source.read(_PIECE):
            told.update(piece)
            out.write(piece)
    return told.hexdigest()


def digest_of(files: Sequence[KeptFile]) -> str:
    """A digest of a folder: of the names and digests of its files."""
    return digest.of_json(sorted((file.name, file.sha256) for file in files))
