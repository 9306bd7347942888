"""The rows nearest to a few texts, found exactly while the rows stream past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .shingles import Kind, Shingles, chunks, shingle, spans

# Characters, and counters of shared shingles, that are looked at together.
_CHARACTERS = 4_000_000
_COUNTERS = 4_000_000


def nearest(
    queries: Sequence[str],
    batches: Iterable[tuple[Sequence[int], Sequence[str]]],
    *,
    kind: Kind,
    most: int = 3,
) -> list[list[tuple[int, float]]]:
    """The rows whose shingles are most like those of each query.

    Every row is compared with every query: what comes out is exact. Memory depends on the queries and on the largest
    batch, not on the rows.

    Args:
        queries: Texts to find neighbours of.
        batches: Numbers of rows and their texts (None for a missing one), a batch after the other.
        kind: What a shingle is; `seedbed.core.similarity.shingles.shingle` defines it.
        most: Rows to find for each query at most.

    Returns:
        For each query the rows, as (number, Jaccard similarity), nearest first and the lower number first of equals. A
        row that shares nothing with a query is not near it, so that there may be fewer than `most`.
    """
    index = _Index(queries, kind)
    found: list[list[tuple[int, float]]] = [[] for _ in queries]
    for numbers, texts in batches:
        series = pl.Series(texts, dtype=pl.String)
        lengths = series.str.len_chars().fill_null(0).to_numpy().astype(np.int64)
        for start, end in chunks(lengths, items=_CHARACTERS, rows=max(1, _COUNTERS // max(1, len(queries)))):
            shared, sizes = index.shared(shingle(series.slice(start, end - start), kind))
            here = np.asarray(numbers[start:end])
            for query, (held, both) in enumerate(zip(index.sizes.tolist(), shared, strict=True)):
                near = np.flatnonzero(both)
                similarity = both[near] / (held + sizes[near] - both[near])
                best = _first(similarity, here[near], most)
                new = zip(here[near][best].tolist(), similarity[best].tolist(), strict=True)
                found[query] = sorted([*found[query], *new], key=lambda one: (-one[1], one[0]))[:most]
    return found


def _first(similarity: NDArray[np.float64], numbers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Places of the `most` most similar rows, the lower number first of equals."""
    places = np.arange(len(similarity))
    if len(similarity) > most:
        least = np.partition(similarity, len(similarity) - most)[len(similarity) - most]
        places = np.flatnonzero(similarity >= least)
    return places[np.lexsort((numbers[places], -similarity[places]))[:most]]


class _Index:
    """The queries by shingle."""

    def __init__(self, queries: Sequence[str], kind: Kind) -> None:
        held = shingle(pl.Series(queries, dtype=pl.String), kind)
        self.sizes = held.sizes
        query = np.repeat(np.arange(len(held)), held.sizes)
        order = np.argsort(held.values, kind="stable")
        self._queries = query[order]
        self._values, self._starts = np.unique(held.values[order], return_index=True)
        self._counts = np.diff(self._starts, append=len(order))

    def shared(self, rows: Shingles) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Shingles that each query shares with each row, shape (queries, rows), and shingles of each row."""
        shape = (len(self.sizes), len(rows))
        if not self._values.size or not rows.values.size:
            return np.zeros(shape, dtype=np.int64), rows.sizes
        at = np.searchsorted(self._values, rows.values).clip(max=len(self._values) - 1)
        hits = np.flatnonzero(self._values[at] == rows.values)
        row = np.searchsorted(rows.offsets, hits, side="right") - 1
        counts = self._counts[at[hits]]
        query = self._queries[spans(self._starts[at[hits]], counts)]
        cells = np.bincount(query * shape[1] + np.repeat(row, counts), minlength=shape[0] * shape[1])
        return cells.reshape(shape), rows.sizes
