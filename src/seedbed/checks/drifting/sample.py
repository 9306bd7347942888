"""Rows that are compared: all, or a sample by their places, which no worker or batch changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.check import SPLIT
from seedbed.core.other_rows import OtherRows
from seedbed.core.rows import NUMBER
from seedbed.core.similarity.shingles import mix

#: More rows than these are not compared.
MOST = 100_000
_KEY = "\x00key"


def sample_of(rows: pl.LazyFrame) -> pl.DataFrame:
    """The rows that are there now, without columns of ours but `row`."""
    here = rows.drop(NUMBER, SPLIT, strict=False)
    total = int(here.select(pl.len()).collect(engine="streaming").item())
    if total <= MOST:
        return here.collect(engine="streaming")
    return here.with_row_index(_KEY).filter(pl.col(_KEY).is_in(pl.Series(chosen(total)).implode())).drop(_KEY).collect()


def chosen(rows: int) -> NDArray[np.int64]:
    """Places of the rows of so many that are compared, ascending: all, or `MOST` of them."""
    return np.sort(_first(np.arange(rows, dtype=np.uint64)))


def reference_sample(others: Sequence[OtherRows], columns: Sequence[str]) -> pl.DataFrame:
    """Columns of the rows of a reference; never much more than `MOST` are held."""
    schema = {name: others[0].schema[name] for name in columns}
    held, seen = pl.DataFrame(schema={**schema, _KEY: pl.UInt64}), 0
    for other in others:
        for batch in other.batches(columns):
            places = np.arange(seen, seen + batch.height, dtype=np.uint64)
            held = pl.concat([held, batch.with_columns(pl.Series(_KEY, places))], how="vertical_relaxed")
            seen += batch.height
            if held.height > 2 * MOST:
                held = held[np.sort(_first(held[_KEY].to_numpy()))]
    if held.height > MOST:
        held = held[np.sort(_first(held[_KEY].to_numpy()))]
    return held.drop(_KEY)


def _first(places: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Which `MOST` of some places come first in a fixed order by chance."""
    order: NDArray[np.int64] = np.argsort(mix(places), kind="stable")
    return order[:MOST]
