"""Clusters of rows that belong together: copies, rows of one group, and made rows with their parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.numbers import things
from seedbed.core.similarity.components import components

Numbers = NDArray[np.uint64]
#: Two arrays of the same length: the `NUMBER`s of rows that belong together.
Pairs = tuple[Numbers, Numbers]
_Positions = NDArray[np.int64]

COPIES, PARENTS = "copies", "parents"


@dataclass(frozen=True)
class Clusters:
    """Which rows belong together."""

    ids: NDArray[np.int64]
    """Cluster of each row, shape (rows,): the `NUMBER` of the cluster's first row."""
    links: Mapping[str, _Positions]
    """Places of the rows that were joined to another, by what joined them."""

    @cached_property
    def _sizes(self) -> tuple[NDArray[np.int64], _Positions]:
        return np.unique(self.ids, return_counts=True)

    @property
    def count(self) -> int:
        """Clusters, those of a single row included."""
        return len(self._sizes[0])

    @property
    def largest(self) -> int:
        """Rows in the largest cluster; 0 when there are no rows."""
        return int(self._sizes[1].max(initial=0))

    def largest_joined_by(self) -> str:
        """What joins the rows of the largest cluster, for a person: `copies (1,204 links), group patient (3 links)`."""
        if not self.count:
            return ""
        largest = self._sizes[0][self._sizes[1].argmax()]
        found = {what: int((self.ids[rows] == largest).sum()) for what, rows in self.links.items()}
        return ", ".join(f"{what} ({things(links, 'link')})" for what, links in found.items() if links)


def cluster(
    numbers: Numbers,
    *,
    pairs: Pairs,
    groups: Sequence[pl.Series | NDArray[np.generic]] = (),
    parents: Pairs | None = None,
) -> Clusters:
    """Join rows that must not be parted, however long the chain that joins them.

    Args:
        numbers: `NUMBER` of every row, ascending, shape (rows,).
        pairs: Exact and near copies.
        groups: Columns of the rows, each of shape (rows,), whose equal values belong together; null and NaN are no
            group. A series' name is used in messages.
        parents: Made rows and the rows they were made from.

    Raises:
        ValueError: A pair names a row that is not there, or a column is not as long as the rows.
    """
    joined = {COPIES: (_places(numbers, pairs[0]), _places(numbers, pairs[1]))}
    if parents is not None:
        joined[PARENTS] = (_places(numbers, parents[0]), _places(numbers, parents[1]))
    for place, values in enumerate(groups, start=1):
        column = values if isinstance(values, pl.Series) else pl.Series(values)
        joined[f"group {column.name or place}"] = _of_group(column, len(numbers))
    left = np.concatenate([one for one, _ in joined.values()])
    right = np.concatenate([other for _, other in joined.values()])
    first = components(len(numbers), left, right)
    return Clusters(ids=numbers[first].astype(np.int64), links={what: rows for what, (rows, _) in joined.items()})


def _places(numbers: Numbers, wanted: Numbers) -> _Positions:
    wanted = np.asarray(wanted, dtype=np.uint64)
    places = np.searchsorted(numbers, wanted)
    known = places < len(numbers)
    known[known] = numbers[places[known]] == wanted[known]
    if not known.all():
        raise ValueError(f"row number {wanted[~known][0]} is in a pair, but not among the rows")
    return places.astype(np.int64)


def _of_group(values: pl.Series, rows: int) -> tuple[_Positions, _Positions]:
    """Each row of a group that is not its first, with the first."""
    if len(values) != rows:
        raise ValueError(f"the group column {values.name!r} has {len(values)} values for {rows} rows")
    if values.dtype.is_float():
        values = values.fill_nan(None)
    table = pl.DataFrame({"row": np.arange(rows, dtype=np.int64), "group": values})
    joined = (
        table.lazy()
        .filter(pl.col("group").is_not_null())
        .with_columns(first=pl.col("row").min().over("group"))
        .filter(pl.col("row") != pl.col("first"))
        .collect()
    )
    return joined["row"].to_numpy(), joined["first"].to_numpy()
