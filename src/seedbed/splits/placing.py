"""Splits rows by what they say, has the split checked, and certifies it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.splitter import LEFT_OUT, ByValue, Certificate, Placement

from .certify import ROUNDS, MadeRows, certify
from .clusters import Clusters, Numbers, Pairs, cluster
from .verify import Verification


@dataclass(frozen=True)
class Placed:
    """What came out."""

    placement: Placement
    clusters: NDArray[np.int64]
    """Cluster of each row, shape (rows,)."""
    certificate: Certificate


def split_by_value(  # noqa: PLR0913 (as make_split, and what rows say)
    splitter: ByValue,
    numbers: Numbers,
    said: pl.Series,
    labels: NDArray[np.int64],
    *,
    pairs: Pairs,
    groups: Sequence[pl.Series | NDArray[np.generic]] = (),
    made: MadeRows | None = None,
    verify_with: Callable[[NDArray[np.int8], int], Verification],
    method: str,
) -> Placed:
    """Put rows where they say, unless rows that they belong to are elsewhere.

    Pairs that the check finds are joined and the rows are placed again, as in `make_split`, whose arguments these are.

    Args:
        splitter: Says what becomes of rows that belong together.
        numbers: `NUMBER` of each row, ascending, shape (rows,).
        said: What each says, shape (rows,).
        labels: Label of each row, shape (rows,) or (rows, labels).
        pairs: `NUMBER`s of exact and near copies.
        groups: Columns whose equal values belong together.
        made: What is known of made rows.
        verify_with: Checks the splits of the rows, `LEFT_OUT` among them, given the round from 1.
        method: How the pairs were found, for the certificate.

    Raises:
        DataError: What the rows say cannot be used.
    """
    made = made or MadeRows()
    nobody = np.zeros(len(numbers), dtype=np.bool_)
    only_train = nobody if made.only_train is None else made.only_train
    for done in range(1, ROUNDS + 1):
        clusters = cluster(numbers, pairs=pairs, groups=groups, parents=made.parents)
        placement = splitter.place(said, clusters.ids, labels, only_train)
        verification = verify_with(placement.places, done)
        if not verification.pairs:
            break
        found = np.array([pair[:2] for pair in verification.pairs], dtype=np.uint64)
        pairs = (np.concatenate([pairs[0], found[:, 0]]), np.concatenate([pairs[1], found[:, 1]]))
    placement = replace(placement, splits=placement.splits or splitter.splits)
    kept = placement.places != LEFT_OUT
    certificate = certify(
        splitter,
        Clusters(clusters.ids[kept], {}),
        placement.places[kept],
        verification,
        method=method,
        rounds=done,
        only_train=None if made.only_train is None else made.only_train[kept],
        splits_named=placement.splits,
    )
    left_out = dict(sorted(Counter(placement.reasons[~kept].tolist()).items()))
    certificate = certificate.model_copy(update={"left_out": left_out, "moved": placement.moved})
    if certificate.train_only:  # nobody moved because of made rows: those were left out
        certificate = certificate.model_copy(update={"train_only": {**certificate.train_only, "moved": 0}})
    return Placed(placement, clusters.ids, certificate)
