"""Chance that hangs on a row's name and a seed, and on nothing else: not on the order of rows, workers or batches."""

from __future__ import annotations

import polars as pl
import xxhash


def chance_of(names: pl.Series, seed: int) -> pl.Series:
    """A number from 0 to 2**63 - 1 for each name, shape (rows,)."""
    drawn = [xxhash.xxh3_64_intdigest(name, seed=seed % 2**64) >> 1 for name in names.cast(pl.Binary)]
    return pl.Series(names.name, drawn, dtype=pl.Int64)
