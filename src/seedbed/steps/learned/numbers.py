"""Columns as numbers: what is no number, or not finite, is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError


def number_of(column: str) -> pl.Expr:
    """A column's values as 64-bit numbers; NaN and infinity are null, as what is missing is."""
    value = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value).alias(column)


def refuse_others(train: pl.LazyFrame, columns: Sequence[str], *, at: str) -> None:
    """Fail where a column holds something else than numbers.

    Raises:
        DataError: With the column, and the step that makes numbers of it.
    """
    schema = train.select(columns).collect_schema()
    for name, kind in schema.items():
        if not (kind.is_numeric() or kind in (pl.Boolean, pl.Null)):
            raise DataError(
                f"the column {name!r} holds {kind}, not numbers",
                at=at,
                hint=f"cast it before: {{use: cast, types: {{{name}: number}}}}",
            )


def known_numbers(train: pl.LazyFrame, column: str) -> NDArray[np.float64]:
    """The values of a column that are there, in row order."""
    return train.select(number_of(column).drop_nulls()).collect().to_series().to_numpy()


def quantiles(values: NDArray[np.float64], *shares: float) -> list[float]:
    """Quantiles by linear interpolation, as numpy and scikit-learn take them; of at least one value."""
    return [float(found) for found in np.quantile(values, shares)]
