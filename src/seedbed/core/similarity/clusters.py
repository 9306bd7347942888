"""What similar pairs say in sum: which rows belong together, and the nearest neighbour of each.

Workers sum up the pairs of their unit, so that no more than one line for each row leaves them: in memory are 36 bytes
for each row that is similar to another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.step import Groups

from .candidates import Candidates
from .components import components
from .pairs import PairsOf
from .shingles import Kind

#: Among more rows than these that belong together, the neighbour that is named is the nearest of some.
CROWD = 1_000
# Lines that wait at least before they are summed up; half as many as are known by then, if those are more.
_WAITING = 250_000

CLUSTERS = {NUMBER: pl.UInt64, "first": pl.UInt64, "of": pl.UInt64, "similarity": pl.Float64}


def clusters(groups: Groups, column: str, kind: Kind, threshold: float, *, crowd: int = CROWD) -> pl.DataFrame:
    """Rows that are similar to others, by the keys that `band_table` made.

    Args:
        groups: Holds the keys.
        column: Holds the texts.
        kind: What is compared; as in `band_table`.
        threshold: Jaccard similarity.
        crowd: Rows that belong together from which on the neighbour is the nearest of some; 0 where it does not matter.

    Returns:
        `NUMBER` (sorted), the `first` row that it is joined to, directly or through others, its most similar neighbour
        (`of`, the first of equals) and their `similarity`.
    """
    candidates = Candidates.of(groups)
    copies = candidates.copies.select(a="first", b=NUMBER, similarity=pl.lit(1.0))
    known, waiting = pl.DataFrame(schema=CLUSTERS), [summed_up(copies)]
    units = candidates.units(threshold)
    del candidates, copies
    for found in groups.over(_ClustersOf(PairsOf(column, kind, threshold, crowd)), units, [column]):
        waiting.append(found)
        if sum(map(len, waiting)) > max(_WAITING, len(known) // 2):
            known, waiting = _merged([known, *waiting]), []
    return _merged([known, *waiting])


@dataclass(frozen=True)
class _ClustersOf:
    pairs: PairsOf

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        return summed_up(self.pairs(rows))


def summed_up(pairs: pl.DataFrame) -> pl.DataFrame:
    """What pairs (`a`, `b`, `similarity`) say of each row (`CLUSTERS`)."""
    either = pl.concat(
        [pairs.select(pl.col(one).alias(NUMBER), of=other, similarity="similarity") for one, other in ("ab", "ba")]
    )
    return _with_first(_nearest(either), pairs["a"].to_numpy(), pairs["b"].to_numpy())


def _merged(found: list[pl.DataFrame]) -> pl.DataFrame:
    """What is known of rows in several tables, in one."""
    together = pl.concat(found)
    return _with_first(_nearest(together.drop("first")), together["first"].to_numpy(), together[NUMBER].to_numpy())


def _nearest(either: pl.DataFrame) -> pl.DataFrame:
    """The most similar `of` of each row, the first of equals; sorted."""
    return either.sort(NUMBER, "similarity", "of", descending=[False, True, False]).unique(
        NUMBER, keep="first", maintain_order=True
    )


def _with_first(rows: pl.DataFrame, left: NDArray[np.uint64], right: NDArray[np.uint64]) -> pl.DataFrame:
    """Rows with the first row that pairs join each to."""
    numbers = rows[NUMBER].to_numpy()
    joined = components(len(numbers), np.searchsorted(numbers, left), np.searchsorted(numbers, right))
    return rows.with_columns(first=pl.Series(numbers[joined], dtype=pl.UInt64)).select(*CLUSTERS)
