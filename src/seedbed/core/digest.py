"""Digests of values. They do not depend on the machine, batches, workers or file layout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
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
        self._hash.update(("\n".join(_lines(rows.select(names))) + "\n").encode())

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def _lines(rows: pl.DataFrame) -> list[str]:
    """Each row as JSON, told by its own values alone: one with a number that is none has all its floats as texts."""
    floats = [column for column in rows if column.dtype.is_float()]
    odd = [~column.is_finite().fill_null(True) for column in floats]
    if not any(one.any() for one in odd):
        return as_json(rows).to_list()
    strange = pl.Series(np.logical_or.reduce([one.to_numpy() for one in odd]))
    texts = [pl.col(column.name).cast(pl.String) for column in floats]
    lines = as_json(rows.filter(~strange)).to_list(), as_json(rows.filter(strange).with_columns(texts)).to_list()
    each = iter(lines[0]), iter(lines[1])
    return [next(each[one]) for one in strange.cast(pl.Int8).to_list()]


def of_splits(splits: Iterable[tuple[str, str]]) -> str:
    """The dataset's digest from its splits' names and digests."""
    return of_json(sorted(splits))
