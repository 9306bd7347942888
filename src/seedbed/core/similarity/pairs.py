"""Similar pairs in tables that are too big for the exact join: rows that share a band are compared.

Keys go to disk, where the engine groups them; texts are fetched only for rows that may be similar. Memory is bounded by
a partition of the keys and by the texts of one chunk of candidates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.step import Groups

from .minhash import band_keys, signatures
from .shingles import Kind, chunks, jaccard, mix, set_hashes, shingle, spans

# A larger bucket is split by the next band; in what is still larger, each row meets the first few only.
LARGEST_BUCKET = 1_000
FIRST_FEW = 50
# Candidates sorted together, and shingles of the candidates whose texts are in memory together.
_CANDIDATES = 2_000_000
_LOADED = 20_000_000
# Which permutations; fixed, because what they find must not depend on a recipe.
_SEED = 1997

PAIR_SCHEMA = {"a": pl.UInt64, "b": pl.UInt64, "similarity": pl.Float64}


def band_table(batch: pl.DataFrame, column: str, kind: Kind, bands: int, rows: int) -> pl.DataFrame:
    """The keys of a batch for `verified_pairs`: one row per text and band; texts without shingles have none.

    Args:
        batch: `NUMBER` and the column.
        column: Holds the texts.
        kind: What is compared.
        bands: See `bands_for`.
        rows: Places of a band.

    Returns:
        `NUMBER`, `key` (the band's), `next` (the next band's key), `band`, `set_hash` (of all shingles), `size` (how
        many).
    """
    found = shingle(batch[column].cast(pl.String), kind)
    filled = np.flatnonzero(found.sizes)
    keys = band_keys(signatures(found, bands * rows, _SEED)[filled], bands, rows)
    return pl.DataFrame(
        {
            NUMBER: np.repeat(batch[NUMBER].to_numpy()[filled], bands),
            "key": keys.ravel(),
            "next": np.roll(keys, -1, axis=1).ravel(),
            "band": np.tile(np.arange(bands, dtype=np.uint16), len(filled)),
            "set_hash": np.repeat(set_hashes(found)[filled], bands),
            "size": np.repeat(found.sizes[filled].astype(np.uint32), bands),
        }
    )


def verified_pairs(groups: Groups, column: str, kind: Kind, threshold: float) -> Iterator[pl.DataFrame]:
    """Pairs of rows that share a band and whose similarity is at least `threshold`, measured on their texts.

    Rows with equal sets (by size and 64-bit hash) are paired with the first of them and compared no further. A bucket
    of more than 1,000 different sets is split by the next band's key; in what is still larger than that, each row is
    compared with the first 50 only, which joins copies of one template and may miss pairs among what is left.

    Args:
        groups: Holds what `band_table` made.
        column: Holds the texts.
        kind: What is compared; as in `band_table`.
        threshold: Jaccard similarity.

    Yields:
        `a`, `b` (`NUMBER`s, a < b) and `similarity`. A pair may come more than once, always with one similarity.
    """
    for part in groups.partitions():
        ranked = part.with_columns(pl.col(NUMBER).min().over("set_hash", "size").alias("first")).sort("key", NUMBER)
        copies = ranked.filter((pl.col(NUMBER) != pl.col("first")) & (pl.col("band") == 0))
        yield copies.select(a="first", b=NUMBER, similarity=pl.lit(1.0))
        sets = ranked.filter(pl.col(NUMBER) == pl.col("first"))
        for candidates in _candidates(sets, threshold):
            yield from _verified(groups, candidates, column, kind, threshold)


def _candidates(sets: pl.DataFrame, threshold: float) -> Iterator[pl.DataFrame]:
    """`a`, `b` and their `sizes` of rows that share a bucket and are not too different in size; few come twice."""
    key, number, size = (sets[name].to_numpy() for name in ("key", NUMBER, "size"))
    numbers, places, member = np.unique(number, return_index=True, return_inverse=True)
    sizes = size[places].astype(np.int64)
    bucket = _run_lengths(key)
    crowded = np.repeat(bucket, bucket) > LARGEST_BUCKET
    key = np.where(crowded, mix(key ^ mix(sets["next"].to_numpy())), key)
    order = np.lexsort((member, key))
    key, member = key[order], member[order]
    bucket = _run_lengths(key)
    start = np.repeat(np.cumsum(bucket) - bucket, bucket)
    earlier = np.arange(len(key)) - start
    partners = np.where(np.repeat(bucket, bucket) > LARGEST_BUCKET, np.minimum(earlier, FIRST_FEW), earlier)
    for begin, end in chunks(partners, items=_CANDIDATES, rows=max(len(partners), 1)):
        a = member[spans(start[begin:end], partners[begin:end])]
        b = np.repeat(member[begin:end], partners[begin:end])
        near = np.minimum(sizes[a], sizes[b]) >= threshold * np.maximum(sizes[a], sizes[b]) - 1e-9
        pairs = np.sort(a[near] << 32 | b[near])
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]
        a, b = pairs >> 32, pairs & 0xFFFFFFFF
        yield pl.DataFrame({"a": numbers[a], "b": numbers[b], "sizes": sizes[a] + sizes[b]})


def _run_lengths(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Lengths of the runs of equal values."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    return np.diff(np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]])))


def _verified(
    groups: Groups, candidates: pl.DataFrame, column: str, kind: Kind, threshold: float
) -> Iterator[pl.DataFrame]:
    """The candidates that are similar, some at a time."""
    for begin, end in chunks(candidates["sizes"].to_numpy(), items=_LOADED, rows=max(candidates.height, 1)):
        some = candidates.slice(begin, end - begin)
        numbers = pl.concat([some["a"], some["b"]]).unique().sort()
        fetched = groups.lookup(numbers, [column])
        found = shingle(fetched[column].cast(pl.String), kind)
        places = fetched[NUMBER].to_numpy()
        left, right = (np.searchsorted(places, some[name].to_numpy()) for name in ("a", "b"))
        measured = some.select("a", "b", similarity=pl.Series(jaccard(found, left, right)))
        yield measured.filter(pl.col("similarity") >= threshold)
