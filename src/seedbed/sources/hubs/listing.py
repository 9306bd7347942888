"""What a dataset on a hub holds, before any of it is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from seedbed.core.errors import DataError

#: Files of a dataset that are looked at.
MOST_FILES = 100_000


@dataclass(frozen=True)
class Remote:
    """One file."""

    size: int
    mark: str = ""
    """What changes when it does, as the hub has it."""
    sha256: str = ""
    """Where the hub says it."""


@dataclass(frozen=True)
class Listing:
    """The files of one revision."""

    revision: str
    """The commit, or the version, that everything is fetched from."""
    files: Mapping[str, Remote]
    license: str = ""
    """As the hub says it."""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Repository(Protocol):
    """A dataset on a hub."""

    def listing(self) -> Listing:
        """Its files now.

        Raises:
            DataError: It is not there, or may not be seen.
        """

    def at_revision(self, revision: str) -> Repository:
        """The same, as it was at a revision."""

    def address(self, name: str, revision: str) -> str:
        """Address of a file of a revision, for people."""

    def download(self, name: str, revision: str, folder: Path) -> Path:
        """A file, somewhere below a folder; one that was cut off goes on.

        Raises:
            DataError: It cannot be had.
        """


def checked(listing: Listing, at: str) -> Listing:
    """The listing, if its names are names of files below a folder.

    Raises:
        DataError: They are not, or there are too many.
    """
    if len(listing.files) > MOST_FILES:
        raise DataError(f"holds {len(listing.files):,} files; at most {MOST_FILES:,} are looked at", at=at)
    for name in listing.files:
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or "\\" in name or ".." in parts or "\0" in name:
            raise DataError(f"holds a file whose name leads elsewhere: {name[:80]!r}", at=at)
    return listing
