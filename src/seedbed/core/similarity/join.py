"""The exact join: every pair of sets whose Jaccard similarity reaches a threshold.

A prefix filter finds candidates: with shingles ordered from rare to frequent, sets that share enough also share one of
their first few. Sources: Bayardo, Ma and Srikant, "Scaling up all pairs similarity search" (2007); Xiao et al.,
"Efficient similarity joins for near duplicate detection" (PPJoin, 2008); the bitmaps that discard most candidates:
Sandes, Teodoro and Melo, "Bitmap filter" (2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .components import components
from .shingles import HASH_BITS, Shingles, chunks, gather, jaccard, set_hashes, spans

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]

# Shared shingles looked at together.
_MATCHES = 2_000_000
# Bitmaps have this many 64-bit words.
_WORDS = 4
# Shingles are counted in at most this many counters; two that share one only lose some of the order.
_MOST_COUNTERS = 1 << 24
# Where a product that should be whole is a little more than whole.
_SLACK = 1e-9


def similar_pairs(
    shingles: Shingles,
    threshold: float,
    *,
    spanning: bool = False,
    crowd: int | None = None,
    told: Callable[[int], None] = lambda rows: None,
) -> Pairs:
    """All pairs of rows whose similarity is at least `threshold`; rows with equal sets stand for each other.

    A row whose set is that of an earlier row is paired with the first such row (similarity 1) and with no other.

    Args:
        shingles: The rows' shingles; a row without any is in no pair.
        threshold: Jaccard similarity, above 0 and at most 1.
        spanning: Leave out pairs of rows that other pairs join already. The components stay the same, and a crowd of
            many rows that are all alike costs memory by its rows and not by its pairs.
        crowd: The same, but only among more than so many rows that are joined; 0 is `spanning`.
        told: Gets how many rows have been compared with all others since it was called last.

    Returns:
        Left row, right row and similarity of each pair, with left < right, sorted by left and right.
    """
    first, copies, originals = _collapsed(shingles)
    found = [(originals, copies, np.ones(len(copies)))]
    told(len(shingles.sizes) - len(first))
    if len(first) > 1 and threshold < 1:
        found += _near_pairs(shingles, first, threshold, 0 if spanning else crowd, told)
    else:
        told(len(first))
    left, right, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
    left, right = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((right, left))
    return left[order], right[order], similarity[order]


def _collapsed(shingles: Shingles) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are first to have their set; rows that are not; and the first row of each of those."""
    filled = np.flatnonzero(shingles.sizes)
    _, places, inverse = np.unique(set_hashes(shingles)[filled], return_index=True, return_inverse=True)
    stands_for = filled[places][inverse]
    copy = stands_for != filled
    return filled[~copy], filled[copy], stands_for[copy]


@dataclass(frozen=True)
class _Prefixes:
    """The first shingles of each set, from rare to frequent. Sets are ranked by size."""

    shingle: NDArray[np.int64]
    """Dense number of a shingle."""
    rank: NDArray[np.int64]
    """The set that it stands in."""
    place: NDArray[np.int64]
    """Where it stands in that set."""


@dataclass
class _Joined:
    """Which rows pairs join already, and which of those are left out therefore."""

    crowd: int | None
    label: NDArray[np.int64]
    """The component of each row."""
    full: NDArray[np.bool_]
    """Whether a row's component is a crowd."""

    @classmethod
    def apart(cls, rows: int, crowd: int | None) -> _Joined:
        """Rows that nothing joins."""
        return cls(crowd, np.arange(rows, dtype=np.int64), np.zeros(rows, dtype=np.bool_))

    def open(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether pairs are to be looked at."""
        looked: NDArray[np.bool_] = (self.label[one] != self.label[other]) | ~self.full[one]
        return looked

    def places(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of the pairs that are to be looked at."""
        return np.flatnonzero(self.open(one, other))

    def one_each(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of the first of those pairs for each component of the `other` rows."""
        places = self.places(one, other)
        return places[np.unique(self.label[other[places]], return_index=True)[1]]

    def join(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
        """Note that pairs are similar."""
        if self.crowd is not None and len(one):
            everyone = np.arange(len(self.label))
            self.label[:] = components(len(everyone), np.append(everyone, one), np.append(self.label, other))
            self.full[:] = (np.bincount(self.label, minlength=len(everyone)) > max(self.crowd, 1))[self.label]


def _near_pairs(
    shingles: Shingles, first: NDArray[np.int64], threshold: float, crowd: int | None, told: Callable[[int], None]
) -> list[Pairs]:
    rows = first[np.argsort(shingles.sizes[first], kind="stable")]
    joined = _Joined.apart(len(rows), crowd)
    found: list[Pairs] = []
    before = 0
    for short, long, done in _candidates(shingles, rows, threshold, joined):
        # Where it is enough to span, one pair of each row goes first, and mostly settles the others.
        for choose in (joined.one_each, joined.places) if crowd is not None else (joined.places,):
            some = choose(short, long)
            left, right = rows[short[some]], rows[long[some]]
            similarity = jaccard(shingles, left, right)
            enough = similarity >= threshold
            found.append((left[enough], right[enough], similarity[enough]))
            joined.join(short[some[enough]], long[some[enough]])
        told(done - before)
        before = done
    return [_each_once(found)] if found else []


def _candidates(
    shingles: Shingles, rows: NDArray[np.int64], threshold: float, joined: _Joined
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """Pairs of rows, by their rank in size, that may be similar and are not `joined` yet; few come twice.

    With each stretch of pairs comes how many rows have met all that are smaller.
    """
    sizes = shingles.sizes[rows]
    probes = _prefixes(shingles, rows, sizes - _at_least(threshold * sizes) + 1)
    # A shorter set needs a shorter prefix, because it is only ever matched with longer ones.
    shorter = sizes - _at_least(2 * threshold / (1 + threshold) * sizes) + 1
    indexed = probes.place < shorter[probes.rank]
    keys = probes.shingle[indexed] << 32 | probes.rank[indexed]
    order = np.argsort(keys)
    keys, places = keys[order], probes.place[indexed][order]
    smallest = np.searchsorted(sizes, _at_least(threshold * sizes))
    low = np.searchsorted(keys, probes.shingle << 32 | smallest[probes.rank])
    counts = np.searchsorted(keys, probes.shingle << 32 | probes.rank) - low
    share = threshold / (1 + threshold)
    bitmaps = _bitmaps(shingles, rows)
    for start, end in chunks(counts, items=_MATCHES, rows=len(counts)):
        here = spans(low[start:end], counts[start:end])
        probe = np.repeat(np.arange(start, end), counts[start:end])
        short, long = keys[here] & 0xFFFFFFFF, probes.rank[probe]
        total = sizes[short] + sizes[long]
        needed = _at_least(share * total)
        left = np.minimum(sizes[short] - places[here], sizes[long] - probes.place[probe])
        possible = np.flatnonzero((left >= needed) & joined.open(short, long))
        short, long, most = short[possible], long[possible], (total - 2 * needed)[possible]
        alike = _differing(bitmaps, short, long) <= most
        pairs = np.sort(short[alike] << 32 | long[alike])
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]
        yield pairs >> 32, pairs & 0xFFFFFFFF, len(rows) if end == len(counts) else int(probes.rank[end])


def _each_once(found: list[Pairs]) -> Pairs:
    """Pairs without those that two chunks found."""
    left, right, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
    _, places = np.unique(left << 32 | right, return_index=True)
    return left[places], right[places], similarity[places]


def _at_least(shares: NDArray[np.floating]) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.ceil(shares - _SLACK).astype(np.int64)
    return whole


def _counters(shingles: Shingles) -> NDArray[np.uint8]:
    """How frequent shingles are, as a level from 0 (in one set only) to 255, by the low bits of their hash."""
    size = 1 << min(max(2 * len(shingles.values), 2).bit_length(), _MOST_COUNTERS.bit_length() - 1)
    counts = np.zeros(size, dtype=np.int64)
    for start in range(0, len(shingles.values), _MATCHES):
        low = shingles.values[start : start + _MATCHES] & np.uint64(size - 1)
        counts += np.bincount(low.astype(np.int64), minlength=size)
    every = np.maximum(np.arange(counts.max() + 1), 1)  # counts are few, and counters many
    levels: NDArray[np.uint8] = np.minimum(np.ceil(8 * np.log2(every)), 255).astype(np.uint8)
    return levels[counts]


def _prefixes(shingles: Shingles, rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> _Prefixes:
    """The rarest shingles of each row, as many as asked for, without those that stand in one row only."""
    levels = _counters(shingles)
    counter = np.uint64(len(levels) - 1)
    row_shift, level_shift = np.uint64(HASH_BITS), np.uint64(HASH_BITS - 8)
    found: list[tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]] = []
    for start, end in chunks(shingles.sizes[rows]):
        values, offsets = gather(shingles, rows[start:end])
        # One sort by row, then level, then hash (its lowest 8 bits make room: shingles that only differ there count as
        # one, which adds candidates and loses none).
        local = np.repeat(np.arange(end - start), np.diff(offsets))
        keys = levels[(values & counter).astype(np.int64)].astype(np.uint64) << level_shift | values >> np.uint64(8)
        keys |= local.astype(np.uint64) << row_shift
        keys.sort()
        place = np.arange(len(keys)) - np.repeat(offsets[:-1], np.diff(offsets))
        keys &= np.uint64((1 << HASH_BITS) - 1)
        kept = (place < lengths[start:end][local]) & (keys >> level_shift > 0)
        found.append((keys[kept], local[kept] + start, place[kept]))
    keys, rank, place = (np.concatenate(column) for column in zip(*found, strict=True))
    return _Prefixes(np.unique(keys, return_inverse=True)[1].astype(np.int64), rank, place)


def _bitmaps(shingles: Shingles, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Parity of each set's shingles that fall on each bit, shape (words, rows)."""
    bitmaps = np.zeros((_WORDS, len(rows)), dtype=np.uint64)
    for start, end in chunks(shingles.sizes[rows]):
        values, offsets = gather(shingles, rows[start:end])
        bits = np.uint64(1) << (values & np.uint64(63))
        words = values >> np.uint64(6) & np.uint64(_WORDS - 1)
        for word in range(_WORDS):
            bitmaps[word, start:end] = np.bitwise_xor.reduceat(
                np.where(words == word, bits, np.uint64(0)), offsets[:-1]
            )
    return bitmaps


def _differing(bitmaps: NDArray[np.uint64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits in which bitmaps differ: at most the shingles that only one of the two sets has."""
    differing = np.zeros(len(left), dtype=np.int64)
    for word in bitmaps:
        differing += np.bitwise_count(word[left] ^ word[right])
    return differing
