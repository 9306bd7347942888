"""Rows of another dataset, read by a part that compares with them: a stream of batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from .context import context_at
from .errors import DataError, RecipeError, did_you_mean, told_as
from .source import Scan, Source


@dataclass(frozen=True)
class OtherRows:
    """A source inside a part's options. Nothing is read before it is asked for."""

    source: Source
    base: Path
    """Folder that its path starts from."""

    @cached_property
    def scan(self) -> Scan:
        """Its files and their columns.

        Raises:
            DataError: It is not there, or cannot be read.
        """
        with told_as(DataError, self.source.address):
            return self.source.scan(context_at(self.base))

    @cached_property
    def renames(self) -> dict[str, str]:
        """Its columns as NEW: OLD."""
        return self.source.columns or {name: name for name in self.scan.schema.names()}

    @cached_property
    def schema(self) -> pl.Schema:
        """Its columns by the names that the source gives them.

        Raises:
            RecipeError: The source's `columns` name one that is not there.
        """
        for old in self.renames.values():
            self._known(old, self.scan.schema.names(), "columns")
        return pl.Schema({new: self.scan.schema[old] for new, old in self.renames.items()})

    def require(self, column: str, option: str) -> None:
        """Refuse a column that is not there.

        Raises:
            RecipeError: With those that may be meant.
        """
        self._known(column, self.schema.names(), option)

    def _known(self, column: str, names: Sequence[str], option: str) -> None:
        if column not in names:
            raise RecipeError(
                f"`{option}` names the column {column!r}, which {self.source.address} does not have",
                hint=did_you_mean(column, names).replace("known:", "its columns are"),
            )

    def batches(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Some columns of its rows, a block at a time.

        Raises:
            DataError: It cannot be read.
        """
        taken = [pl.col(self.renames[name]).alias(name) for name in columns]
        with told_as(DataError, self.source.address):
            for block in self.source.blocks(self.scan, context_at(self.base)):
                yield self.source.parse(block, self.scan).table.select(taken)
