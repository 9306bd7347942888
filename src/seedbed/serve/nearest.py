"""What indices of training rows have in common, whatever they compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Rows that are looked through, evenly over all.
MOST_ROWS = 200_000
#: Characters of a row that are shown.
SHOWN = 300


@dataclass(frozen=True)
class NearRow:
    """A training row that is like what is asked about."""

    row: str
    label: str | None
    similarity: float
    """From 0 to 1: of texts the cosine, of rows of a table Gower's coefficient."""
    text: str | None
    """Its beginning, personal data masked; none where texts are not shown, and of tables."""
    values: Mapping[str, Any] | None = None
    """What it holds in the columns that are compared, of a table; none where texts are not shown."""


def first_of(alike: NDArray[np.float64], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places of the rows that are most alike, the first of equals first, and how alike; none that is not at all."""
    if not len(alike):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    least = np.partition(alike, len(alike) - min(most, len(alike)))[len(alike) - min(most, len(alike))]
    some = np.flatnonzero(alike >= least)
    order = some[np.lexsort((some, -alike[some]))][:most]
    order = order[alike[order] > 0]
    return order, alike[order].clip(max=1.0)
