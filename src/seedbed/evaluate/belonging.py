"""Who is in a slice, permuted where rows have groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Codes = NDArray[np.int64]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Belonging:
    """Which rows are in a slice, and what may be exchanged if belonging means nothing.

    Groups that lie wholly in the slice or wholly beside it are exchanged whole, within a stratum; rows of the other
    groups within their group and stratum.
    """

    inside: _Bools
    """Whether each row is in the slice, shape (rows,)."""
    groups: _Codes
    whole: _Bools
    """Whether each row is of a group that lies wholly on one side, shape (rows,)."""
    stratum: _Codes
    """The stratum of each group: the one that most of its rows have, the first of equals, shape (groups,)."""
    parts: _Codes
    """Group and stratum of each row of the other groups, in one number."""

    @classmethod
    def of(cls, inside: _Bools, groups: _Codes, strata: _Codes) -> Belonging:
        """Arguments of shape (rows,); groups and strata from 0."""
        size = np.bincount(groups)
        within = np.bincount(groups, inside, len(size))
        whole = ((within == 0) | (within == size))[groups]
        width = int(strata.max(initial=0)) + 1
        pairs, rows = np.unique(groups * width + strata, return_counts=True)
        fewest_first = np.lexsort((-pairs, rows))
        stratum = np.zeros(len(size), dtype=np.int64)
        stratum[pairs[fewest_first] // width] = pairs[fewest_first] % width  # the last one written stays
        return cls(inside, groups, whole, stratum, (groups * width + strata)[~whole])

    def permuted(self, random: np.random.Generator, times: int) -> NDArray[np.uint8]:
        """Who is in the slice, so many times anew, shape (times, rows)."""
        member = np.tile(self.inside[:, None].astype(np.uint8), times)
        known, first = np.unique(self.groups[self.whole], return_index=True)
        of_group = member[self.whole][first]
        for alike in np.unique(self.stratum[known]):
            here = np.flatnonzero(self.stratum[known] == alike)
            of_group[here] = random.permuted(of_group[here], axis=0)
        member[self.whole] = of_group[np.searchsorted(known, self.groups[self.whole])]
        if self.parts.size:
            order = np.argsort(self.parts, kind="stable")
            keys = self.parts[order][:, None] + random.random((order.size, times))
            rows = np.flatnonzero(~self.whole)[order]
            member[rows] = np.take_along_axis(member[rows], np.argsort(keys, axis=0), axis=0)
        return member.T
