"""A table that was handed over from Python, as an option of a part."""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl

from seedbed.core.errors import RecipeError
from seedbed.core.numbers import things

_KEYS = {"sha256", "rows", "columns"}


class Held:
    """A table, or what is known of one that is not there: written down, or gone to another process.

    Attributes:
        sha256: Of the columns' names, types and values.
        rows: How many.
        columns: Names.
    """

    def __init__(self, table: pl.DataFrame | None, sha256: str, rows: int, columns: list[str]) -> None:
        self._table, self.sha256, self.rows, self.columns = table, sha256, rows, columns

    @classmethod
    def of(cls, table: pl.DataFrame) -> Held:
        """A table that is there."""
        return cls(table, _digest(table), table.height, table.columns)

    @classmethod
    def written(cls, told: dict[str, Any]) -> Held | None:
        """One that was written down by `as_json`; none if that is not what it is."""
        if set(told) != _KEYS or not isinstance(told["sha256"], str) or not isinstance(told["rows"], int):
            return None
        return cls(None, told["sha256"], told["rows"], [str(name) for name in told["columns"]])

    def as_json(self) -> dict[str, Any]:
        """What is written down of it."""
        return {"sha256": self.sha256, "rows": self.rows, "columns": self.columns}

    @property
    def table(self) -> pl.DataFrame:
        """The table.

        Raises:
            RecipeError: It is not there.
        """
        if self._table is None:
            raise RecipeError(
                f"the frame of {things(self.rows, 'row')} was handed over in Python, and is not there any more",
                at="source 'frame', frame",
                hint="run it from Python again, or save the frame as Parquet and use: parquet",
            )
        return self._table

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"<frame of {things(self.rows, 'row')}: {', '.join(self.columns[:6])}>"

    def __getstate__(self) -> tuple[Any, ...]:
        # Workers get their rows with the blocks.
        return None, self.sha256, self.rows, self.columns

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._table, self.sha256, self.rows, self.columns = state


def _digest(table: pl.DataFrame) -> str:
    from .blocks import blocks_of

    found = hashlib.sha256(repr(list(table.schema.items())).encode())
    for block in blocks_of(table, 0, 0, None):
        found.update(block.payload)
    return found.hexdigest()
