"""Hashes of values: what samples and counts of different values go by."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.similarity.hashing import mix

_SEED = 5
Hashes = NDArray[np.uint64]


def hashes_of(values: pl.Series) -> Hashes:
    """A hash of each value: equal values have equal hashes. No machine or run changes them; versions of Polars may."""
    if values.dtype.is_float():
        values = values + 0.0  # there are two zeros
    return mix(values.hash(_SEED).to_numpy())
