"""Texts as sets of shingles, and the Jaccard similarity of such sets.

A shingle is a run of five characters or of three words of the normalised text. It is known by a 48-bit hash that
depends on nothing but its characters: no machine, library version or seed changes it. Two different shingles of one
pair of texts share a hash with a chance below one in a million even where the texts are whole books.

Source: Broder, "On the resemblance and containment of documents" (1997).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from .hashing import character_runs, mix, normalise, spans, word_runs

__all__ = [
    "Kind",
    "Shingles",
    "choose_kind",
    "chunks",
    "gather",
    "jaccard",
    "mix",
    "normalise",
    "set_hashes",
    "shingle",
    "spans",
]

Kind = Literal["characters", "words", "rows"]

#: Shingle hashes are below 2 ** HASH_BITS, so that a row's place in a chunk fits above them and one sort orders both.
HASH_BITS = 48
#: Rows of a chunk (what fits above a hash), and characters or hashes of a chunk (what bounds memory).
CHUNK_ROWS = 1 << (64 - HASH_BITS)
CHUNK_ITEMS = 2_000_000
# Hashes of right and of left rows that are compared together: they fit into the cache of a core.
_COMPARED_ITEMS = 200_000
_TABLE_ITEMS = 2_000
#: Hashes that fit into the cache of a core, with a copy of them.
CACHED = 32_768
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))

# Characters that are hashed together: what is made of them fits into the cache of a core.
_HASHED = 200_000

#: A text shorter than this many characters is "short".
SHORT = 300

_HASH_MASK = np.uint64((1 << HASH_BITS) - 1)
_ROW_SHIFT = np.uint64(HASH_BITS)


@dataclass(frozen=True)
class Shingles:
    """Sets of shingles, one a row: row i holds `values[offsets[i]:offsets[i + 1]]`, sorted, each once."""

    offsets: NDArray[np.int64]
    """Shape (rows + 1,)."""
    values: NDArray[np.uint64]
    """Hashes below 2 ** 48, shape (all shingles,)."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Shingles of each row, shape (rows,)."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1


def choose_kind(short: int, rows: int) -> Kind:
    """Characters where more than half of the rows are `short` (under 300 characters), words otherwise."""
    return "characters" if 2 * short > rows else "words"


def shingle(texts: pl.Series, kind: Kind) -> Shingles:
    """The shingles of each text.

    Characters are runs of five code points of the normalised text; a text shorter than that is one shingle. Words are
    runs of three tokens (`\\w+`); fewer tokens are one shingle, and a text without tokens is one shingle as it stands.
    A null or empty text has no shingles. `rows` takes each text, to the letter, as its only shingle: texts are equal or
    have nothing in common.

    Args:
        texts: Strings, shape (rows,).
        kind: What a shingle is.
    """
    if kind == "rows":
        return _wholes(texts)
    counts: list[NDArray[np.int64]] = []
    values: list[NDArray[np.uint64]] = []
    for some in _pieces(texts.fill_null(""), CHUNK_ITEMS):
        for few in _pieces(normalise(some) if kind == "characters" else some, _HASHED):
            found, kept = _sets(*(character_runs if kind == "characters" else word_runs)(few.to_list()))
            values.append(found)
            counts.append(kept)
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    if counts:
        np.cumsum(np.concatenate(counts), out=offsets[1:])
    return Shingles(offsets, np.concatenate(values) if values else np.zeros(0, dtype=np.uint64))


def _wholes(texts: pl.Series) -> Shingles:
    """Each text as one shingle."""
    filled = (texts.str.len_bytes().fill_null(0) > 0).to_numpy()
    hashes = [xxhash.xxh3_64_intdigest(text.encode()) for text in texts.filter(pl.Series(filled))]
    return Shingles(np.concatenate([[0], np.cumsum(filled)]), np.array(hashes, dtype=np.uint64) & _HASH_MASK)


def _pieces(texts: pl.Series, characters: int) -> Iterator[pl.Series]:
    """Texts in runs of at most so many characters, unless one is longer."""
    for start, end in chunks(texts.str.len_chars().to_numpy().astype(np.int64), items=characters):
        yield texts.slice(start, end - start)


def jaccard(shingles: Shingles, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Jaccard similarity of pairs of rows: shared shingles over all shingles of both; 0 where both have none.

    Args:
        shingles: The rows' shingles.
        left: Row of each pair, shape (pairs,).
        right: The other row of each pair, shape (pairs,).

    Returns:
        Shape (pairs,).
    """
    sizes = shingles.sizes
    order = np.argsort(left, kind="stable")
    left, right = left[order], right[order]
    new = np.diff(left, prepend=-1) != 0
    which = np.cumsum(new) - 1  # of the different left rows
    shared = np.empty(len(left), dtype=np.int64)
    # A left row counts where it comes first, a right row always; few left rows at a time keep the table in the cache.
    work = np.maximum(np.where(new, sizes[left] * (_COMPARED_ITEMS // _TABLE_ITEMS), 0), sizes[right])
    for start, end in chunks(work, items=_COMPARED_ITEMS):
        rows = left[start:end]
        first = np.concatenate([[True], rows[1:] != rows[:-1]])
        ours, _ = _tagged(shingles, rows[first], np.arange(np.count_nonzero(first)))
        theirs, offsets = _tagged(shingles, right[start:end], which[start:end] - which[start])
        hits = np.concatenate([[0], np.cumsum(_among(theirs, ours))])
        shared[order[start:end]] = hits[offsets[1:]] - hits[offsets[:-1]]
    united = np.empty(len(left), dtype=np.int64)
    united[order] = sizes[left] + sizes[right]
    similarity: NDArray[np.float64] = shared / np.maximum(united - shared, 1)
    return similarity


def set_hashes(shingles: Shingles) -> NDArray[np.uint64]:
    """A 64-bit hash of each row's set: equal for equal sets, and 0 for rows without shingles. Shape (rows,)."""
    sizes = shingles.sizes
    hashes = np.zeros(len(shingles), dtype=np.uint64)
    for rows, values, starts in filled_rows(shingles, CACHED):
        sums: NDArray[np.uint64] = np.add.reduceat(mix(values), starts)
        hashes[rows] = mix(sums ^ sizes[rows].astype(np.uint64))
    return hashes


def filled_rows(
    shingles: Shingles, items: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]]:
    """Rows that have shingles, in runs of at most so many shingles unless a row has more.

    Yields:
        The rows, all their values, and where each row's begin among them.
    """
    sizes = shingles.sizes
    for start, end in chunks(sizes, items=items):
        rows = start + np.flatnonzero(sizes[start:end])
        if rows.size:
            first = shingles.offsets[start]
            yield rows, shingles.values[first : shingles.offsets[end]], shingles.offsets[rows] - first


def gather(shingles: Shingles, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Values and offsets of some rows, in the order asked for."""
    sizes = shingles.sizes[rows]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return shingles.values[spans(shingles.offsets[rows], sizes)], offsets


def chunks(sizes: NDArray[np.int64], items: int = CHUNK_ITEMS, rows: int = CHUNK_ROWS) -> Iterator[tuple[int, int]]:
    """Cut rows of some sizes into runs [start, end) of at most `rows` rows and, unless one row is larger, `items`."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        done = int(ends[start - 1]) if start else 0
        end = int(np.searchsorted(ends, done + items, side="right"))
        end = min(max(end, start + 1), start + rows)
        yield start, end
        start = end


def _tagged(
    shingles: Shingles, rows: NDArray[np.int64], tags: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes of some rows, each with its row's tag above it, and the rows' offsets."""
    values, offsets = gather(shingles, rows)
    return values | np.repeat(tags.astype(np.uint64) << _ROW_SHIFT, np.diff(offsets)), offsets


def _among(keys: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each key is one of the known, which are all different: a hash table in a few strokes over all keys."""
    found, known = _in_table(keys, known, _FACTORS[0])
    for factor in _FACTORS[1:]:
        if not known.size:
            return found
        asked = np.flatnonzero(~found)
        found[asked], known = _in_table(keys[asked], known, factor)
    asked = np.flatnonzero(~found)
    found[asked] = np.isin(keys[asked], known)
    return found


def _in_table(
    keys: NDArray[np.uint64], known: NDArray[np.uint64], factor: np.uint64
) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Whether each key is one of the known that have a place in the table, and the known that lost theirs."""
    bits = max(16 * len(known), 2).bit_length()
    shift = np.uint64(64 - bits)
    table = np.full(1 << bits, ~np.uint64(0))
    places = (known * factor >> shift).astype(np.int64)
    table[places] = known
    return table[(keys * factor >> shift).astype(np.int64)] == keys, known[table[places] != known]


def _sets(hashes: NDArray[np.uint64], sizes: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Each row's hashes cut to 48 bits, sorted, each once; and how many each row has left."""
    rows = np.arange(len(sizes) + 1, dtype=np.uint64) << _ROW_SHIFT
    keys = np.repeat(rows[:-1], sizes)
    keys |= hashes >> np.uint64(64 - HASH_BITS)
    keys.sort()
    if keys.size:
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    # A row's place may be the last that fits above a hash, so that the row after it has none.
    ends = np.append(np.searchsorted(keys, rows[1:-1]), len(keys))[: len(sizes)]
    keys &= _HASH_MASK
    return keys, np.diff(ends, prepend=0)
