"""Digests of values. They do not depend on the machine, batches, workers or file layout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from .rows import NUMBER, as_json


def of_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RowsDigest:
    """SHA-256 of rows in order: one canonical JSON object a row, columns sorted by name, row ids included."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, rows: pl.DataFrame) -> None:
        """Add rows."""
        if not rows.height:
            return
        names = sorted(name for name in rows.columns if name != NUMBER)
        lines = as_json(rows.select(names))
        self._hash.update(("\n".join(lines.to_list()) + "\n").encode())

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def of_splits(splits: Iterable[tuple[str, str]]) -> str:
    """The dataset's digest from its splits' names and digests."""
    return of_json(sorted(splits))
