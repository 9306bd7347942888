"""Similar pairs in tables that are too big for one exact join: rows that share a band are compared, and no others.

Keys go to disk, where the engine groups them. Rows that share a key, directly or through others, are candidates of one
another (`candidates`); each such group is joined exactly (`join`) by a worker, which is given its texts. So no pair is
measured twice, however many bands it shares, and a crowd that shares a template is compared like any other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER
from seedbed.core.step import Groups

from .candidates import WHOLE, Candidates
from .join import similar_pairs
from .minhash import band_keys, signatures
from .shingles import Kind, set_hashes, shingle

# Which permutations; fixed, because what they find must not depend on a recipe.
_SEED = 1997

PAIR_SCHEMA = {"a": pl.UInt64, "b": pl.UInt64, "similarity": pl.Float64}


def band_table(batch: pl.DataFrame, column: str, kind: Kind, bands: int, rows: int) -> pl.DataFrame:
    """The keys of a batch for `verified_pairs`: a row for each text and band; texts without shingles have none.

    Args:
        batch: `NUMBER` and the column.
        column: Holds the texts.
        kind: What is compared.
        bands: See `bands_for`.
        rows: Places of a band.

    Returns:
        `NUMBER`, `key`, `band` (from 1; 0 where the key is of all shingles) and `size` (how many shingles there are).
    """
    found = shingle(batch[column].cast(pl.String), kind)
    filled = np.flatnonzero(found.sizes)
    keys = band_keys(signatures(found, bands * rows, _SEED)[filled], bands, rows)
    whole = set_hashes(found)[filled]
    return _table(batch[NUMBER].to_numpy()[filled], found.sizes[filled], np.column_stack([whole, keys]), WHOLE)


def one_key_table(batch: pl.DataFrame, column: str) -> pl.DataFrame:
    """Keys for `verified_pairs` by which each text is compared with each, as in `band_table`; empty texts have none.

    Args:
        batch: `NUMBER` and the column.
        column: Holds the texts.
    """
    filled = np.flatnonzero(batch[column].cast(pl.String).str.len_bytes().fill_null(0).to_numpy())
    keys = np.zeros((len(filled), 1), dtype=np.uint64)
    return _table(batch[NUMBER].to_numpy()[filled], np.ones(len(filled), dtype=np.int64), keys, WHOLE + 1)


def _table(numbers: NDArray[np.uint64], sizes: NDArray[np.int64], keys: NDArray[np.uint64], first: int) -> pl.DataFrame:
    """Keys of shape (rows, bands) as a table, in the order of the rows; bands are numbered from `first` on."""
    rows, bands = keys.shape
    return pl.DataFrame(
        {
            NUMBER: np.repeat(numbers, bands),
            "key": keys.ravel(),
            "band": np.tile(np.arange(first, first + bands, dtype=np.uint16), rows),
            "size": np.repeat(sizes.astype(np.uint32), bands),
        }
    )


def verified_pairs(
    groups: Groups, column: str, kind: Kind, threshold: float, *, crowd: int | None = None
) -> Iterator[pl.DataFrame]:
    """Pairs of rows that share a key and whose similarity is at least `threshold`, measured on their texts.

    Rows with equal sets (by size and 64-bit hash) are paired with the first of them and compared no further. In an
    unbroken chain of shared keys all rows are compared, also those that share none themselves.

    Args:
        groups: Holds what `band_table` made.
        column: Holds the texts.
        kind: What is compared; as in `band_table`.
        threshold: Jaccard similarity.
        crowd: As in `similar_pairs`.

    Yields:
        `a`, `b` (`NUMBER`s, a < b) and `similarity`. A pair may come more than once, always with one similarity.
    """
    found = Candidates.of(groups)
    yield found.copies.select(a="first", b=NUMBER, similarity=pl.lit(1.0))
    yield from groups.over(PairsOf(column, kind, threshold, crowd), found.units(threshold), [column])


@dataclass(frozen=True)
class PairsOf:
    """Joins the rows of a unit."""

    column: str
    kind: Kind
    threshold: float
    crowd: int | None

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Pairs (`PAIR_SCHEMA`) of rows, which are sorted by `NUMBER`."""
        sets = shingle(rows[self.column].cast(pl.String), self.kind)
        left, right, similarity = similar_pairs(sets, self.threshold, crowd=self.crowd)
        numbers = rows[NUMBER].to_numpy()
        return pl.DataFrame({"a": numbers[left], "b": numbers[right], "similarity": similarity}, schema=PAIR_SCHEMA)
