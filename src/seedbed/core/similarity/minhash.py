"""MinHash signatures and bands: similar sets share a band with a chance that is known beforehand.

Sources: Broder, "On the resemblance and containment of documents" (1997); Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .shingles import Shingles, chunks, gather, mix

# Hashes and one permutation of them fit into the cache of a core.
_CACHED = 32_768


def bands_for(threshold: float, permutations: int = 128, recall: float = 0.999) -> tuple[int, int]:
    """Bands and rows per band: the most rows whose recall at the threshold is still `recall`.

    Sets of similarity s share one of b bands of r rows with probability 1 - (1 - s ** r) ** b.

    Args:
        threshold: Similarity that is to be found, above 0 and at most 1.
        permutations: Length of a signature; bands times rows is at most this.
        recall: Share of pairs at the threshold that are to be found. Where no banding reaches it, each band has one
            row, which finds the most.
    """
    for rows in range(permutations, 1, -1):
        bands = permutations // rows
        if 1 - (1 - threshold**rows) ** bands >= recall:
            return bands, rows
    return permutations, 1


def signatures(shingles: Shingles, permutations: int, seed: int) -> NDArray[np.uint32]:
    """MinHash signatures: two rows agree in each place with a probability that is their Jaccard similarity.

    Args:
        shingles: The rows' shingles; a row without any gets the largest value everywhere.
        permutations: Places of a signature.
        seed: Which permutations.

    Returns:
        Shape (rows, permutations).
    """
    draws = mix(mix(np.arange(2 * permutations, dtype=np.uint64)) ^ np.uint64(seed))
    factors, terms = draws[:permutations] | np.uint64(1), draws[permutations:]
    found = np.full((len(shingles), permutations), np.iinfo(np.uint32).max, dtype=np.uint32)
    sizes = shingles.sizes
    filled = np.flatnonzero(sizes)
    for start, end in chunks(sizes[filled], items=_CACHED):
        rows = filled[start:end]
        values, offsets = gather(shingles, rows)
        values = mix(values)
        found[rows] = _lowest(values, offsets[:-1], factors, terms).T
    return found


def _lowest(
    values: NDArray[np.uint64], starts: NDArray[np.int64], factors: NDArray[np.uint64], terms: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """The lowest hash of each row under each permutation (multiply, add, take the high half)."""
    hashed = np.empty_like(values)
    lowest = np.empty((len(factors), len(starts)), dtype=np.uint64)
    for place in range(len(factors)):
        np.multiply(values, factors[place], out=hashed)
        hashed += terms[place]
        np.minimum.reduceat(hashed, starts, out=lowest[place])
    return lowest >> np.uint64(32)


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
