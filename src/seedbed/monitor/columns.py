"""What is known of a column, by itself: enough to compare it with the same column later, and no row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.record import Record

#: Of a `text`, the length is known.
Kind = Literal["number", "category", "text"]
Floats = NDArray[np.float64]

#: A column of more different values, or of more than one in `_ROWS_EACH` rows, is none of categories.
_CATEGORIES, _ROWS_EACH = 100, 5
#: Fewer rows than these share their value with too few others to be told by it: they count as `OTHER`.
_FEWEST = 3
OTHER = "\u2026"
#: Fewer rows may have no value twice by chance.
_ENOUGH = 20
#: How a log calls the lengths of texts that it does not hold.
LENGTH = "length:"


class Column(Record):
    """A column of some rows."""

    kind: Kind
    rows: int
    missing: int = Field(description="Rows without a value.")
    unreadable: int = Field(0, description="Of those, rows with something that is no number.")
    values: tuple[float, ...] = Field(
        (), description="Numbers, or lengths of texts in characters; sorted, so that they make up no row. A sample."
    )
    counts: dict[str, int] = Field(default_factory=dict, description="Rows by category.")


def kind_of(column: pl.Series, *, text: bool = False) -> Kind | None:
    """What a column is, told from its values; none where it names rows.

    Args:
        column: Of the reference.
        text: Whether it is the task's text, however few values it has.
    """
    kind = column.dtype
    if kind.is_numeric() or kind.is_temporal():
        filled = column.drop_nulls()
        whole = kind.is_integer() and len(filled) >= _ENOUGH and filled.n_unique() == len(filled)
        return None if whole else "number"
    if kind == pl.Boolean:
        return "category"
    if kind in (pl.String, pl.Categorical, pl.Enum) and not text:
        filled = column.drop_nulls()
        if filled.n_unique() <= max(2, min(_CATEGORIES, len(filled) // _ROWS_EACH)):
            return "category"
    return "text"


def column_of(
    column: pl.Series, kind: Kind, *, most: int | None = None, labels: Collection[str] | None = None
) -> Column:
    """What is known of a column.

    Args:
        column: Values, or, where its name begins with `LENGTH`, lengths of texts.
        kind: What it is.
        most: Values to keep, evenly over their order; all if left out.
        labels: Where categories are known: none is taken together with others, however rare it is.
    """
    rows = len(column)
    if kind == "category":
        said = as_text(column)
        counts: dict[str, int] = dict(said.drop_nulls().value_counts(name="\x00n").iter_rows())
        if labels is None:
            counts = _pooled(counts)
        return Column(kind=kind, rows=rows, missing=said.null_count(), counts=dict(sorted(counts.items())))
    if kind == "text" and not column.name.startswith(LENGTH):
        column = as_text(column).str.len_chars()
    given = column.null_count()
    numbers = numeric(column)
    missing = numbers.null_count()
    values = np.sort(numbers.drop_nulls().to_numpy())
    thinned = _thinned(values, most)
    return Column(kind=kind, rows=rows, missing=missing, unreadable=missing - given, values=thinned)


def numeric(column: pl.Series) -> pl.Series:
    """Numbers, dates and times as numbers; null for what is none."""
    if column.dtype.is_temporal():
        column = column.to_physical()
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    if column.dtype.is_nested():
        return pl.Series(column.name, [None], dtype=pl.Float64).new_from_index(0, len(column))
    numbers = column.cast(pl.Float64, strict=False)
    return numbers.to_frame("x").select(pl.when(pl.col("x").is_finite()).then("x")).to_series()


def as_text(column: pl.Series) -> pl.Series:
    """Values as text; nested ones as JSON, null for what is nothing but white space."""
    if column.dtype.is_nested():
        table = column.to_frame("x").select(
            pl.when(pl.col("x").is_not_null()).then(pl.struct("x").struct.json_encode())
        )
        return table.to_series()
    if column.dtype == pl.Binary:
        return column.bin.encode("hex")
    said = column.cast(pl.String).to_frame("x")
    return said.select(pl.when(pl.col("x").str.contains(r"\S")).then("x")).to_series()


def _pooled(counts: dict[str, int]) -> dict[str, int]:
    kept = {value: n for value, n in counts.items() if n >= _FEWEST}
    rare = sum(counts.values()) - sum(kept.values())
    return {**kept, OTHER: rare + kept.get(OTHER, 0)} if rare else kept


def _thinned(values: Floats, most: int | None) -> tuple[float, ...]:
    if most is None or len(values) <= most:
        kept = values
    else:
        kept = np.sort(np.random.default_rng(13).choice(values, most, replace=False))
    return tuple(float(f"{one:.7g}") for one in kept) if most else tuple(kept.tolist())
