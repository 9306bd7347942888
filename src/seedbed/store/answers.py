"""Answers of models behind an endpoint, each asked for once: what was asked before comes from the store.

The store's folder `answers/…` belongs to one endpoint. It holds the bodies of responses under the digest of what was
asked: never the question. Each file is there whole or not at all.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from seedbed.core import digest
from seedbed.core.context import running

from .places import write_whole
from .store import Store

KIND = "answers"


@dataclass(frozen=True)
class KeptAnswers:
    """Bodies in files of a folder, by what was asked."""

    folder: Path

    @classmethod
    def of(cls, root: Path, what: str) -> Self:
        """Those of a store.

        Args:
            root: The store's folder.
            what: Whose answers they are, as the recipe writes it: the address of an endpoint.

        Raises:
            DataError: The store cannot be written.
        """
        context = running()
        # A run notes what it uses, so that it is not swept as out of use.
        store = Store.of(context) if context is not None and context.store == root else Store(root)
        return cls(store.artefact(KIND, digest.of_json([KIND, what])).folder)

    def find(self, key: str) -> bytes | None:
        """What is kept under a digest."""
        try:
            return self._place(key).read_bytes()
        except OSError:
            return None

    def keep(self, key: str, body: bytes) -> None:
        """Keep it under a digest; a full disk costs another call, not the run."""
        place = self._place(key)
        with suppress(OSError):
            place.parent.mkdir(exist_ok=True)
            write_whole(place, body)

    def _place(self, key: str) -> Path:
        return self.folder / key[:2] / key
