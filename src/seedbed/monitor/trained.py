"""What training rows held of the columns of a table: a value that a model was never taught is told by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import Field, TypeAdapter, ValidationError

from seedbed.core.errors import ModelError
from seedbed.core.record import Record

from .columns import as_text, kind_of, numeric

#: Where `reference.json` holds it.
KEY = "trained"
#: A category of fewer training rows counts as not known: it could tell whose row it was.
FEWEST = 3


class Trained(Record):
    """A column of training rows."""

    low: float | None = Field(None, description="The least of its numbers; none where they are categories.")
    high: float | None = Field(None, description="The greatest.")
    median: float | None = Field(None, description="The lower of the two in the middle where they are even in number.")
    values: tuple[str, ...] = Field((), description=f"Its categories that at least {FEWEST} rows have, in order.")

    @property
    def margin(self) -> float:
        """How far outside of the numbers a value may be before it is beyond them: a tenth of their range."""
        assert self.low is not None and self.high is not None
        return (self.high - self.low) / 10


def as_typed(number: float) -> str:
    """A number as somebody types it."""
    return str(int(number)) if number.is_integer() else repr(number)


def trained_of(rows: pl.DataFrame) -> dict[str, Trained]:
    """What is known of columns that hold numbers or few categories; of dates, free texts and names of rows nothing is.

    Args:
        rows: The training rows, with the columns that a model reads.
    """
    found = {column.name: _column(column) for column in rows}
    return {name: one for name, one in found.items() if one is not None}


def _column(column: pl.Series) -> Trained | None:
    if column.dtype.is_temporal() or column.dtype.is_nested() or column.dtype == pl.Binary:
        return None
    kind, said = kind_of(column), as_text(column).alias(column.name)
    numbers = numeric(column) if column.dtype.is_numeric() or column.dtype == pl.String else column.clear()
    read = numbers.drop_nulls()
    if kind is not None and len(read) and (column.dtype.is_numeric() or len(read) == len(said.drop_nulls())):
        low, median, high = (float(read.quantile(share, "lower")) for share in (0, 0.5, 1))  # type: ignore[arg-type]
        return Trained(low=low, median=median, high=high)
    if kind != "category":
        return None
    counted = said.drop_nulls().value_counts(name="\x00n").filter(pl.col("\x00n") >= FEWEST)
    return Trained(values=tuple(sorted(counted[column.name]))) if counted.height else None


_ADAPTER = TypeAdapter(dict[str, Trained])


def written_trained(trained: Mapping[str, Trained]) -> dict[str, Any]:
    """As `reference.json` holds it."""
    return {KEY: _ADAPTER.dump_python(dict(trained), mode="json", exclude_defaults=True)}


def read_trained(text: str, *, at: str) -> dict[str, Trained]:
    """Out of `reference.json`; nothing where it does not say it.

    Raises:
        ModelError: It is damaged.
    """
    try:
        return _ADAPTER.validate_python(json.loads(text).get(KEY, {}))
    except (ValueError, AttributeError, ValidationError):
        raise ModelError("what training rows held cannot be read", at=at, hint="copy the whole bundle again") from None
