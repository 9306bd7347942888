"""Makes a split, has it checked, mends it where the check finds pairs, and certifies what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.splitter import Certificate, Dealing, Splitter

from .clusters import Clusters, Numbers, Pairs, cluster
from .dealing import TRAIN, refuse_unfit
from .verify import Verification

ROUNDS = 5


@dataclass(frozen=True)
class MadeRows:
    """What is known of rows that were made."""

    parents: Pairs | None = None
    """`NUMBER`s of made rows and of the rows they were made from."""
    only_train: NDArray[np.bool_] | None = None
    """Rows that may not be held out, shape (rows,): they and all that belongs to them go to train, and the others are
    dealt as if those were not there."""


def make_split(
    splitter: Dealing,
    numbers: Numbers,
    labels: NDArray[np.int64],
    *,
    pairs: Pairs,
    groups: Sequence[pl.Series | NDArray[np.generic]] = (),
    made: MadeRows | None = None,
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
        made: What is known of made rows.
        verify_with: Checks the splits of the rows, given the round from 1. Each round must draw a fresh sample: the
            rows that one sample showed are mended, so they would say nothing about the others.
        method: How the pairs were found, for the certificate.

    Returns:
        Index into `splitter.shares` of each row, shape (rows,), and the certificate.

    Raises:
        DataError: The rows do not fit the shares.
    """
    made = made or MadeRows()
    for done in range(1, ROUNDS + 1):
        clusters = cluster(numbers, pairs=pairs, groups=groups, parents=made.parents)
        dealt = ~with_all_of_theirs(clusters.ids, made.only_train)
        of_dealt = clusters if dealt.all() else Clusters(clusters.ids[dealt], {})
        refuse_unfit(
            splitter,
            rows=int(dealt.sum()),
            clusters=of_dealt.count,
            largest=of_dealt.largest,
            joined_by=of_dealt.largest_joined_by(),
        )
        splits = np.full(len(numbers), TRAIN, dtype=np.int8)
        splits[dealt] = splitter.assign(clusters.ids[dealt], labels[dealt])
        verification = verify_with(splits, done)
        if not verification.pairs:
            break
        found = np.array([pair[:2] for pair in verification.pairs], dtype=np.uint64)
        pairs = (np.concatenate([pairs[0], found[:, 0]]), np.concatenate([pairs[1], found[:, 1]]))
    certificate = certify(
        splitter, clusters, splits, verification, method=method, rounds=done, only_train=made.only_train
    )
    return splits, certificate


def with_all_of_theirs(clusters: NDArray[np.int64], rows: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Rows of clusters that hold one of some rows, shape (rows,)."""
    if rows is None:
        return np.zeros(len(clusters), dtype=np.bool_)
    found: NDArray[np.bool_] = np.isin(clusters, clusters[rows])
    return found


def certify(
    splitter: Splitter,
    clusters: Clusters,
    splits: NDArray[np.int8],
    verification: Verification,
    *,
    method: str,
    rounds: int = 1,
    only_train: NDArray[np.bool_] | None = None,
    splits_named: Sequence[str] = (),
) -> Certificate:
    """State what was kept together, what was asked and got, and what the independent check found.

    It is passed when no cluster straddles splits, the check found no pair, and no row that only trains is held out.

    Args:
        splitter: Says what was asked.
        clusters: Rows that belong together.
        splits: Split of each row, shape (rows,).
        verification: What the check found.
        method: How near copies were found.
        rounds: Times the split was made.
        only_train: Rows that may not be held out, shape (rows,).
        splits_named: Names of the splits, where they are not the splitter's.
    """
    held_out = bool(only_train is not None and (splits[only_train] != TRAIN).any())
    asked = splitter.shares
    names = splits_named or splitter.splits
    rows = np.bincount(splits, minlength=len(names)).tolist()
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
        splits=dict(zip(names, rows, strict=True)),
        asked=asked,
        got={name: count / max(1, len(splits)) for name, count in zip(names, rows, strict=True)},
        verified=verified,
        train_only=None if only_train is None else _moved(clusters.ids, only_train),
        rounds=rounds,
        passed=not verification.pairs and not held_out and not straddling(clusters.ids, splits),
    )


def _moved(clusters: NDArray[np.int64], only_train: NDArray[np.bool_]) -> dict[str, int]:
    rows = int(only_train.sum())
    return {"rows": rows, "moved": int(with_all_of_theirs(clusters, only_train).sum()) - rows}


def straddling(clusters: NDArray[np.int64], splits: NDArray[np.int8]) -> int:
    """Clusters that have rows in more than one split."""
    places = pl.DataFrame({"cluster": clusters, "split": splits}).unique()
    return places.height - places["cluster"].n_unique()
