"""Many features of a row as one column of vectors, or as a column each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Form = Literal["vector", "columns"]

#: Most features that get a column each.
MOST_COLUMNS = 2000


def vectors(
    values: pl.Expr, made: Callable[[pl.Series], NDArray[np.float32]], into: str, names: Sequence[str], form: Form
) -> pl.Expr:
    """Features of each row.

    Args:
        values: What they are made of.
        made: Gives an array of shape (rows, features) for values.
        into: Name of the column of vectors.
        names: Of the features, for a column each.
        form: Which of the two.
    """
    width = len(names)
    if form == "vector":
        kind = pl.Array(pl.Float32, width)

        def as_vectors(series: pl.Series) -> pl.Series:
            return pl.Series(into, made(series) if series.len() else [], dtype=kind)

        return values.map_batches(as_vectors, return_dtype=kind, is_elementwise=True).alias(into)

    def as_columns(series: pl.Series) -> pl.Series:
        table = made(series) if series.len() else np.zeros((0, width), np.float32)
        return pl.DataFrame(np.ascontiguousarray(table), schema=dict.fromkeys(names, pl.Float32)).to_struct(into)

    fields = pl.Struct(dict.fromkeys(names, pl.Float32()))
    return values.map_batches(as_columns, return_dtype=fields, is_elementwise=True).struct.unnest()


def dense(matrix: Any) -> NDArray[np.float32]:
    """A sparse matrix as an array."""
    return np.asarray(matrix.toarray(), dtype=np.float32)
