"""Which rows may be similar: those that share a key, directly or through others, in units that a worker can join.

Memory. What grows: 28 bytes for each row that shares a key with an earlier one, half as many links of 20 bytes that
wait, and about 80 bytes for each of both while they are summed up. Where 3 of 20 rows do, as in the corpora of the
benchmarks, that is 24 bytes for each row of the table: 24 MB for a million, 120 MB for five. What does not grow:
500,000 links at least, and one partition of the keys (a million of 22 bytes, held about four times: 90 MB).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.step import UNIT, UNITS, Groups

from .components import components
from .shingles import chunks

#: Shingles that a worker joins at a time. A group that holds more is joined block by block, each with each.
UNIT_SHINGLES = 1_000_000
#: Band of the key that is of all shingles.
WHOLE = 0
# Links that wait at least before they are summed up; half as many as there are members by then, if those are more.
_WAITING = 500_000

_LINKS = {NUMBER: pl.UInt64, "first": pl.UInt64, "size": pl.UInt32}


@dataclass(frozen=True)
class Candidates:
    """Rows that may be similar to others."""

    copies: pl.DataFrame
    """`NUMBER` and the `first` row that has the same shingles, for all rows but that one."""
    members: pl.DataFrame
    """`NUMBER`, the `first` row of its group, and `size` in shingles; sorted by group and number, without copies."""

    @classmethod
    def of(cls, groups: Groups) -> Candidates:
        """The candidates that keys make (`band_table`)."""
        copies, members = [pl.DataFrame(schema=_LINKS)], pl.DataFrame(schema=_LINKS)
        waiting: list[pl.DataFrame] = []
        for part in groups.partitions():
            links, whole = _links(part)
            copies.append(links.filter(pl.Series(whole) & (pl.col(NUMBER) != pl.col("first"))))
            waiting.append(links.filter(~pl.Series(whole)))
            if sum(map(len, waiting)) > max(_WAITING, len(members) // 2):
                members, waiting = _joined([members, *waiting]), []
        members = _joined([members, *waiting])
        same = pl.concat(copies).drop("size").sort(NUMBER)
        # A copy would be alike to whatever the first of its kind is alike to.
        different = members.join(same, on=NUMBER, how="anti").filter(pl.len().over("first") > 1)
        return cls(same, different.sort("first", NUMBER))

    def units(self, threshold: float) -> pl.DataFrame:
        """Rows by the unit of work that compares them: `NUMBER` and `UNIT`.

        A group is in one unit, with others where it is small. The rows of a large one are in blocks by size, and each
        two blocks that hold rows of sizes near enough make a unit.
        """
        numbers, first = self.members[NUMBER].to_numpy(), self.members["first"].to_numpy()
        sizes = self.members["size"].to_numpy().astype(np.int64)
        starts = np.flatnonzero(np.append(True, first[1:] != first[:-1])[: len(first)])
        lengths = np.diff(starts, append=len(first))
        totals = np.add.reduceat(sizes, starts) if len(starts) else sizes
        small = totals <= UNIT_SHINGLES
        runs = list(chunks(np.where(small, totals, 0), items=UNIT_SHINGLES, rows=max(len(totals), 1)))
        unit = np.repeat(np.arange(len(runs)), [end - start for start, end in runs])
        within = np.repeat(small, lengths)
        found = [(numbers[within], np.repeat(unit, lengths)[within])]
        last = len(runs)
        for group in np.flatnonzero(~small):
            rows = np.arange(starts[group], starts[group] + lengths[group])
            for block in _blocks(rows, sizes[rows], threshold):
                found.append((numbers[block], np.full(len(block), last)))
                last += 1
        row, of = (np.concatenate(column) for column in zip(*found, strict=True))
        return pl.DataFrame({NUMBER: row, UNIT: of}, schema=UNITS).sort(NUMBER, UNIT)


def _links(part: pl.DataFrame) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """Rows of a partition whose key is another's, too, with the first that has it; and whether it is the whole key."""
    key = part["key"].to_numpy()
    order = np.argsort(key)
    ranked = key[order]
    same = ranked[1:] == ranked[:-1]
    shared = (np.append(same, False) | np.append(False, same))[: len(ranked)]
    order, ranked = order[shared], ranked[shared]
    numbers = part[NUMBER].to_numpy()[order]
    again = np.lexsort((numbers, ranked))
    order, ranked, numbers = order[again], ranked[again], numbers[again]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])[: len(ranked)])
    first = np.repeat(numbers[starts], np.diff(starts, append=len(ranked)))
    links = pl.DataFrame({NUMBER: numbers, "first": first, "size": part["size"].to_numpy()[order]}, schema=_LINKS)
    return links, part["band"].to_numpy()[order] == WHOLE


def _joined(links: list[pl.DataFrame]) -> pl.DataFrame:
    """Each row once, with the first of its group."""
    found = pl.concat(links)
    numbers, places = np.unique(found[NUMBER].to_numpy(), return_index=True)
    one, other = (np.searchsorted(numbers, found[name].to_numpy()) for name in ("first", NUMBER))
    first = numbers[components(len(numbers), one, other)]
    return pl.DataFrame({NUMBER: numbers, "first": first, "size": found["size"].gather(places)}, schema=_LINKS)


def _blocks(rows: NDArray[np.int64], sizes: NDArray[np.int64], threshold: float) -> Iterator[NDArray[np.int64]]:
    """Rows of one group, cut into blocks by size: each two blocks that may hold similar rows, together."""
    order = np.lexsort((rows, sizes))
    rows, sizes = rows[order], sizes[order]
    pieces = list(chunks(sizes, items=UNIT_SHINGLES // 2, rows=len(rows)))
    paired: set[int] = set()
    for place, (start, end) in enumerate(pieces):
        for further, (begin, stop) in enumerate(pieces[place + 1 :], place + 1):
            if sizes[end - 1] >= threshold * sizes[begin] - 1e-9:
                paired |= {place, further}
                yield np.concatenate([rows[start:end], rows[begin:stop]])
    for place, (start, end) in enumerate(pieces):
        if place not in paired:
            yield rows[start:end]
