"""The categories of a column, counted over training rows, and what stands for those that are rare or new."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import xxhash

from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.core.values import is_missing, text_of

#: Longest piece of a category's text in the name of a column.
_IN_A_NAME = 40
#: Code of categories that are rare or were not seen.
OTHER = -1


def category_of(column: str) -> pl.Expr:
    """A column's categories as text; null, NaN and blank text are null."""
    return pl.when(~is_missing(column)).then(text_of(column)).alias(column)


def counted(train: pl.LazyFrame, column: str) -> tuple[dict[str, int], int]:
    """Rows by category, most frequent first, and rows without one.

    Raises:
        DataError: The column holds lists or the like.
    """
    kind = train.select(column).collect_schema()[column]
    if kind.is_nested() or kind == pl.Binary:
        raise DataError(f"the column {column!r} holds {kind}, not categories", at="encode")
    # The column may have any name, `len` too.
    counts = train.select(category=category_of(column)).group_by("category").len().collect()
    known = counts.drop_nulls("category").sort("len", "category", descending=[True, False])
    missing = counts.filter(pl.col("category").is_null())["len"].sum()
    return dict(known.iter_rows()), int(missing)


def named(column: str, categories: Sequence[str]) -> list[str]:
    """Names of columns for categories, `COLUMN=CATEGORY`; a long one is cut and told apart by its hash."""
    return [
        f"{column}={one}"
        if len(one) <= _IN_A_NAME
        else f"{column}={one[:_IN_A_NAME]}…{xxhash.xxh3_64_hexdigest(one.encode())}"
        for one in categories
    ]


def fold_of(folds: int, seed: int) -> pl.Expr:
    """The fold of each row, from 0, by its name and a seed: neither order nor batches change it."""

    def dealt(names: pl.Series) -> pl.Series:
        hashes = [xxhash.xxh3_64_intdigest(name, seed=seed) % folds for name in names.cast(pl.Binary)]
        return pl.Series(names.name, hashes, dtype=pl.UInt32)

    return pl.col(ROW).map_batches(dealt, return_dtype=pl.UInt32, is_elementwise=True)


def code_of(column: str, kept: Sequence[str], *, missing: bool) -> pl.Expr:
    """The place of each category among those kept, `OTHER` for others.

    Args:
        column: Its name is kept.
        kept: The categories told apart.
        missing: Whether what is missing has a code of its own, the one after theirs.
    """
    if not kept:
        known = pl.lit(OTHER, pl.Int32)
    else:
        old, new = pl.Series(kept, dtype=pl.String), pl.Series(range(len(kept)), dtype=pl.Int32)
        known = category_of(column).replace_strict(old, new, default=OTHER, return_dtype=pl.Int32)
    absent = pl.lit(len(kept) if missing else OTHER, pl.Int32)
    return pl.when(category_of(column).is_null()).then(absent).otherwise(known).alias(column)
