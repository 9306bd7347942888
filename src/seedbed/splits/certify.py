"""Makes a split, has it checked, mends it where the check finds pairs, and certifies what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.splitter import Certificate, Splitter

from .clusters import Clusters, Numbers, Pairs, cluster
from .dealing import refuse_unfit
from .verify import Verification

ROUNDS = 5


def make_split(
    splitter: Splitter,
    numbers: Numbers,
    labels: NDArray[np.int64],
    *,
    pairs: Pairs,
    groups: Sequence[pl.Series | NDArray[np.generic]] = (),
    parents: Pairs | None = None,
    verify_with: Callable[[NDArray[np.int8], int], Verification],
    method: str,
) -> tuple[NDArray[np.int8], Certificate]:
    """Split rows so that none that belong together are parted.

    Pairs that the check finds are joined and the split is made again, at most `ROUNDS` times in all. A check that still
    finds pairs in the last round leaves a certificate that was not passed.

    Args:
        splitter: Deals the clusters.
        numbers: `NUMBER` of each row, ascending, shape (rows,).
        labels: Label of each row, coded from 0, shape (rows,).
        pairs: `NUMBER`s of exact and near copies.
        groups: Columns whose equal values belong together, each of shape (rows,).
        parents: `NUMBER`s of made rows and of the rows they were made from.
        verify_with: Checks the splits of the rows, given the round from 1. Each round must draw a fresh sample: the
            rows that one sample showed are mended, so they would say nothing about the others.
        method: How the pairs were found, for the certificate.

    Returns:
        Index into `splitter.shares` of each row, shape (rows,), and the certificate.

    Raises:
        DataError: The rows do not fit the shares.
    """
    for done in range(1, ROUNDS + 1):
        clusters = cluster(numbers, pairs=pairs, groups=groups, parents=parents)
        refuse_unfit(
            splitter,
            rows=len(numbers),
            clusters=clusters.count,
            largest=clusters.largest,
            joined_by=clusters.largest_joined_by(),
        )
        splits = splitter.assign(clusters.ids, labels)
        verification = verify_with(splits, done)
        if not verification.pairs:
            break
        found = np.array([pair[:2] for pair in verification.pairs], dtype=np.uint64)
        pairs = (np.concatenate([pairs[0], found[:, 0]]), np.concatenate([pairs[1], found[:, 1]]))
    return splits, certify(splitter, clusters, splits, verification, method=method, rounds=done)


def certify(
    splitter: Splitter,
    clusters: Clusters,
    splits: NDArray[np.int8],
    verification: Verification,
    *,
    method: str,
    rounds: int = 1,
) -> Certificate:
    """State what was kept together, what was asked and got, and what the independent check found.

    It is passed when no cluster straddles splits and the check found no pair.
    """
    asked = splitter.shares
    rows = np.bincount(splits, minlength=len(asked)).tolist()
    verified: dict[str, Any] = {
        "rows": verification.rows,
        "of": verification.of,
        "pairs_found": len(verification.pairs),
        "upper_bound": verification.upper_bound,
    }
    return Certificate(
        threshold=splitter.keep_together.at_least if splitter.keep_together else None,
        shingles=verification.kind,
        method=method,
        clusters=clusters.count,
        largest_cluster=clusters.largest,
        splits=dict(zip(asked, rows, strict=True)),
        asked=asked,
        got={name: count / max(1, len(splits)) for name, count in zip(asked, rows, strict=True)},
        verified=verified,
        rounds=rounds,
        passed=not verification.pairs and not straddling(clusters.ids, splits),
    )


def straddling(clusters: NDArray[np.int64], splits: NDArray[np.int8]) -> int:
    """Clusters that have rows in more than one split."""
    places = pl.DataFrame({"cluster": clusters, "split": splits}).unique()
    return places.height - places["cluster"].n_unique()
