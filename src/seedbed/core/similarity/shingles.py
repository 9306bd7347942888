"""Texts as sets of shingles, and the Jaccard similarity of such sets.

A shingle is a run of five characters or of three words of the normalised text. It is known by a 48-bit hash that
depends on nothing but its characters: no machine, library version or seed changes it. Two different shingles of one
pair of texts share a hash with a chance below one in a million even where the texts are whole books.

Source: Broder, "On the resemblance and containment of documents" (1997).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Kind = Literal["characters", "words"]

#: Shingle hashes are below 2 ** HASH_BITS, so that a row's place in a chunk fits above them and one sort orders both.
HASH_BITS = 48
#: Rows of a chunk (what fits above a hash), and characters or hashes of a chunk (what bounds memory).
CHUNK_ROWS = 1 << (64 - HASH_BITS)
CHUNK_ITEMS = 2_000_000
# Hashes of right and of left rows that are compared together: they fit into the cache of a core.
_COMPARED_ITEMS = 200_000
_TABLE_ITEMS = 2_000
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))

#: A text shorter than this many characters is "short".
SHORT = 300
CHARACTERS = 5
WORDS = 3

_HASH_MASK = np.uint64((1 << HASH_BITS) - 1)
_ROW_SHIFT = np.uint64(HASH_BITS)
_PAD = np.uint64(0x1FFFFF)  # no code point is this large
# What Python's `str.isspace` and `\s` call white space among ASCII characters.
_ASCII_SPACE = r"[\t-\r\x1c-\x1f ]"


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


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64-bit integers over all 64-bit integers, one to one.

    Source: splitmix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    """
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def normalise(texts: pl.Series) -> pl.Series:
    """Texts as similarity sees them: NFKC, case folded, runs of white space one space, stripped. Null stays null."""
    # Rows of plain ASCII are most rows of most tables, and need no Python.
    plain = texts.str.len_bytes() == texts.str.len_chars()
    folded = (
        texts.str.to_lowercase()
        .str.replace_all(rf"{_ASCII_SPACE}{{2,}}|[\t-\r\x1c-\x1f]", " ")
        .str.strip_chars(" ")
        .alias(texts.name)
    )
    if plain.all():  # nulls are left out
        return folded
    places = (~plain).arg_true()
    foreign = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts.gather(places)]
    return folded.scatter(places, pl.Series(foreign, dtype=pl.String))


def choose_kind(short: int, rows: int) -> Kind:
    """Characters where more than half of the rows are `short` (under 300 characters), words otherwise."""
    return "characters" if 2 * short > rows else "words"


def shingle(texts: pl.Series, kind: Kind) -> Shingles:
    """The shingles of each text.

    Characters are runs of five code points of the normalised text; a text shorter than that is one shingle. Words are
    runs of three tokens (`\\w+`); fewer tokens are one shingle, and a text without tokens is one shingle as it stands.
    A null or empty text has no shingles.

    Args:
        texts: Strings, shape (rows,).
        kind: What a shingle is.
    """
    counts: list[NDArray[np.int64]] = []
    values: list[NDArray[np.uint64]] = []
    lengths = texts.str.len_chars().fill_null(0).to_numpy().astype(np.int64)
    for start, end in chunks(lengths):
        normal = normalise(texts.slice(start, end - start)).fill_null("")
        symbols, sizes = _characters(normal) if kind == "characters" else _words(normal)
        hashes, windows = _windows(symbols, sizes, CHARACTERS if kind == "characters" else WORDS)
        found, kept = _sets(hashes, windows)
        values.append(found)
        counts.append(kept)
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    if counts:
        np.cumsum(np.concatenate(counts), out=offsets[1:])
    return Shingles(offsets, np.concatenate(values) if values else np.zeros(0, dtype=np.uint64))


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
    filled = np.flatnonzero(sizes)
    for start, end in chunks(sizes[filled]):
        rows = filled[start:end]
        values, offsets = gather(shingles, rows)
        sums: NDArray[np.uint64] = np.add.reduceat(mix(values), offsets[:-1])
        hashes[rows] = mix(sums ^ sizes[rows].astype(np.uint64))
    return hashes


def gather(shingles: Shingles, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Values and offsets of some rows, in the order asked for."""
    sizes = shingles.sizes[rows]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return shingles.values[spans(shingles.offsets[rows], sizes)], offsets


def spans(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The integers start, start + 1, … of each span, one span after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    members: NDArray[np.int64] = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - lengths), lengths)
    return members


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


def _code_points(text: str) -> NDArray[np.uint64]:
    order = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
    return np.frombuffer(text.encode(order), dtype=np.uint32).astype(np.uint64)


def _characters(texts: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Code points of all texts, one after the other, and how many each has."""
    return _code_points("".join(texts)), texts.str.len_chars().to_numpy().astype(np.int64)


@cache
def _word_characters() -> NDArray[np.bool_]:
    """Whether each code point is a word character, as Python's `\\w` has it."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.bool_)
    for run in re.finditer(r"\w+", "".join(map(chr, range(sys.maxunicode + 1)))):
        table[run.start() : run.end()] = True
    return table


def _words(texts: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the tokens of all texts, one after the other, and how many each has."""
    points = _code_points(" ".join(texts))
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    starts = np.cumsum(lengths + 1) - (lengths + 1)
    word = _word_characters()[points.astype(np.int64)]
    # A text without a token is one token as it stands.
    tokens = np.concatenate([[0], np.cumsum(word)])
    bare = tokens[starts + lengths] == tokens[starts]
    word[spans(starts[bare], lengths[bare])] = True
    inside = np.flatnonzero(word)
    if not inside.size:
        return np.zeros(0, dtype=np.uint64), np.zeros(len(texts), dtype=np.int64)
    first = np.flatnonzero(np.diff(inside, prepend=-2) > 1)
    place = np.arange(len(inside)) - np.repeat(first, np.diff(first, append=len(inside)))
    hashes = np.add.reduceat(mix(points[inside] | place.astype(np.uint64) << np.uint64(21)), first)
    rows = np.searchsorted(starts, inside[first], side="right") - 1
    return mix(hashes), np.bincount(rows, minlength=len(texts))


def _windows(
    symbols: NDArray[np.uint64], sizes: NDArray[np.int64], width: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the runs of `width` symbols within each row, and how many each row has; a short row is padded."""
    if np.any((sizes > 0) & (sizes < width)):
        padded = np.where(sizes > 0, np.maximum(sizes, width), 0)
        wide = np.full(int(padded.sum()), _PAD)
        wide[spans(np.cumsum(padded) - padded, sizes)] = symbols
        symbols, sizes = wide, padded
    if not symbols.size:
        return symbols, sizes
    runs = len(symbols) - width + 1
    hashes = mix(symbols[:runs])
    for place in range(1, width):
        hashes = mix(hashes ^ symbols[place : place + runs])
    within = np.ones(len(symbols), dtype=np.bool_)
    ends = np.cumsum(sizes)[sizes > 0]
    for back in range(1, width):
        within[ends - back] = False
    return hashes[within[:runs]], np.maximum(sizes - width + 1, 0)


def _sets(hashes: NDArray[np.uint64], sizes: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Each row's hashes cut to 48 bits, sorted, each once; and how many each row has left."""
    rows = np.repeat(np.arange(len(sizes), dtype=np.uint64) << _ROW_SHIFT, sizes)
    keys = np.sort(rows | (hashes >> np.uint64(64 - HASH_BITS)))
    if keys.size:
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    return keys & _HASH_MASK, np.bincount((keys >> _ROW_SHIFT).astype(np.int64), minlength=len(sizes))
