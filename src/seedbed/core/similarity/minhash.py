"""MinHash signatures and bands: similar sets share a band with a chance that is known beforehand.

Sources: Broder, "On the resemblance and containment of documents" (1997); Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .hashing import mix
from .shingles import CACHED, Kind, Shingles, filled_rows

# What bands may cost: keys and signatures of a row.
_MOST_BANDS, _MOST_PERMUTATIONS = 64, 512
# How similar texts are that have nothing to do with each other, on the high side.
_BACKGROUND: dict[Kind, float] = {"characters": 0.1, "words": 0.01}
# Other rows, that have nothing to do with it, that may share a band with a row.
_STRANGERS = 0.25


def bands_for(
    threshold: float, permutations: int = 128, recall: float = 0.999, most_rows: int | None = None
) -> tuple[int, int]:
    """Bands and rows per band: the most rows whose recall at the threshold is still `recall`, and as few bands as do.

    Sets of similarity s share one of b bands of r rows with probability 1 - (1 - s ** r) ** b.

    Args:
        threshold: Similarity that is to be found, above 0 and at most 1.
        permutations: Length of a signature; bands times rows is at most this.
        recall: Share of pairs at the threshold that are to be found. Where no banding reaches it, each band has one
            row, which finds the most.
        most_rows: A band has no more.
    """
    for rows in range(min(permutations, most_rows or permutations), 0, -1):
        for bands in range(1, permutations // rows + 1):
            if 1 - (1 - threshold**rows) ** bands >= recall:
                return bands, rows
    return permutations, 1


def bands_for_rows(threshold: float, kind: Kind, rows: int) -> tuple[int, int]:
    """Bands and rows per band for a table: as few as find the pairs and keep rows apart that are not similar.

    Rows that share a band are compared, and so are those that are linked through others. If each row had a stranger or
    two in its bands, all rows would be linked. So bands get longer with the table, as far as 64 bands and 512
    permutations allow.

    Args:
        threshold: Similarity that is to be found in 999 of 1,000 pairs.
        kind: What a shingle is.
        rows: Of the table.
    """
    best = bands_for(threshold, _MOST_PERMUTATIONS, most_rows=1)
    for each in range(2, _MOST_PERMUTATIONS):
        bands, found = bands_for(threshold, min(each * _MOST_BANDS, _MOST_PERMUTATIONS), most_rows=each)
        if found < each:
            break
        best = bands, found
        if rows * bands * _BACKGROUND[kind] ** each <= _STRANGERS:
            break
    return best


def signatures(shingles: Shingles, permutations: int, seed: int) -> NDArray[np.uint32]:
    """MinHash signatures: two rows agree in each place with a probability that is their Jaccard similarity.

    Permutations are of 32 bits (multiply, add), because sets of many more than a million shingles are no texts.

    Args:
        shingles: The rows' shingles; a row without any gets the largest value everywhere.
        permutations: Places of a signature.
        seed: Which permutations.

    Returns:
        Shape (rows, permutations).
    """
    draws = mix(mix(np.arange(2 * permutations, dtype=np.uint64)) ^ np.uint64(seed)).astype(np.uint32)
    factors, terms = draws[:permutations] | np.uint32(1), draws[permutations:]
    found = np.full((len(shingles), permutations), np.iinfo(np.uint32).max, dtype=np.uint32)
    for rows, values, starts in filled_rows(shingles, CACHED):
        found[rows] = _lowest((mix(values) >> np.uint64(32)).astype(np.uint32), starts, factors, terms).T
    return found


def _lowest(
    values: NDArray[np.uint32], starts: NDArray[np.int64], factors: NDArray[np.uint32], terms: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """The lowest hash of each row under each permutation. Shape (permutations, rows)."""
    hashed = np.empty_like(values)
    lowest = np.empty((len(factors), len(starts)), dtype=np.uint32)
    for place in range(len(factors)):
        np.multiply(values, factors[place], out=hashed)
        hashed += terms[place]
        np.minimum.reduceat(hashed, starts, out=lowest[place])
    return lowest


def band_keys(signature: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint64]:
    """One key per row and band: equal where all of the band's places are equal. Keys of different bands differ.

    Args:
        signature: Shape (n, at least bands * rows).
        bands: Bands.
        rows: Places of a band.

    Returns:
        Shape (n, bands).
    """
    places = signature[:, : bands * rows].reshape(len(signature), bands, rows)
    keys = np.broadcast_to(mix(np.arange(bands, dtype=np.uint64)), (len(signature), bands))
    for place in range(rows):
        keys = mix(keys ^ places[:, :, place])
    return keys
