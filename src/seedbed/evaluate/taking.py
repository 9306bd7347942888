"""Some of the rows of answers, and rows of two, whatever holds them: an array, a series or a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray


def some(of: Any, rows: NDArray[Any]) -> Any:
    """The rows at some places (integers), or those that are meant (booleans)."""
    if isinstance(of, np.ndarray):
        return of[rows]
    return of.filter(pl.Series(rows)) if rows.dtype == np.bool_ else of[rows]


def both(a: Any, b: Any) -> Any:
    """The rows of one, then those of another."""
    return np.concatenate([a, b]) if isinstance(a, np.ndarray) else pl.concat([a, b])


def same(a: Any, b: Any) -> bool:
    """Whether two say the same of every row."""
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a.equals(b))


def numbers_a_row(answers: Any) -> int:
    """How many numbers an answer is: what a resample costs hangs on it."""
    return int(answers.shape[1]) if isinstance(answers, np.ndarray) and answers.ndim > 1 else 1
