"""Slow work on few rows: Python, and patterns that cost much, see only the rows that may change."""

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
    return texts.map_batches(
        lambda batch: changed(batch, touched(batch), change), return_dtype=pl.String, is_elementwise=True
    )


def changed(texts: pl.Series, touched: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The texts, those that are `touched` (null counts as no) replaced by what `change` makes of them."""
    rows = touched.fill_null(False).arg_true()
    if not rows.len():
        return texts
    if rows.len() == texts.len():
        return change(texts).alias(texts.name)
    return texts.clone().scatter(rows, change(texts.gather(rows)))


def beyond_ascii(texts: pl.Series) -> pl.Series:
    """Whether a text holds a character beyond ASCII; null for null."""
    return texts.str.len_bytes() != texts.str.len_chars()


def matching(texts: pl.Series, pattern: str, among: pl.Series) -> pl.Series:
    """Whether a text holds the pattern; only the rows `among` which it can be (null counts as no) are looked at."""
    rows = among.fill_null(False).arg_true()
    found = pl.Series([False]).new_from_index(0, texts.len())
    return found.scatter(rows, texts.gather(rows).str.contains(pattern)) if rows.len() else found
