"""Slow work on few rows: Python sees only the rows that may change."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def rewrite(
    texts: pl.Expr, touched: Callable[[pl.Series], pl.Series], change: Callable[[pl.Series], pl.Series]
) -> pl.Expr:
    """Texts with some of them changed.

    Args:
        texts: A column of text.
        touched: Says which rows of a batch may change (null counts as no).
        change: The new texts of those rows, given their texts; none is null.
    """

    def apply(batch: pl.Series) -> pl.Series:
        rows = touched(batch).fill_null(False).arg_true()
        if not rows.len():
            return batch
        return batch.clone().scatter(rows, change(batch.gather(rows)))

    return texts.map_batches(apply, return_dtype=pl.String, is_elementwise=True)
