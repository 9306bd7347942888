"""Sets test rows aside, deals the others to folds, has both checked, and certifies them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.splitter import LEFT_OUT, Certificate, Folding

from .certify import ROUNDS, MadeRows, certify, straddling, with_all_of_theirs
from .clusters import Clusters, Numbers, Pairs, cluster
from .dealing import TRAIN, refuse_unfit
from .verify import Verification


@dataclass(frozen=True)
class Folded:
    """What came out."""

    splits: NDArray[np.int8]
    """Split of each row, shape (rows,)."""
    folds: NDArray[np.int8]
    """Fold of each row, from 0, shape (rows,); as many as there are folds for rows that train in all of them, and
    `LEFT_OUT` for test rows."""
    clusters: NDArray[np.int64]
    certificate: Certificate


def split_in_folds(
    splitter: Folding,
    numbers: Numbers,
    labels: NDArray[np.int64],
    *,
    pairs: Pairs,
    groups: Sequence[pl.Series | NDArray[np.generic]] = (),
    made: MadeRows | None = None,
    verify_with: Callable[[NDArray[np.int8], int], Verification],
    method: str,
) -> Folded:
    """Deal rows to a test and to folds, so that none that belong together are parted.

    Pairs that the check finds are joined and all is dealt again, as in `make_split`, whose arguments these are. Folds
    are checked like splits: rows of each fold against those of all others.

    Raises:
        DataError: The rows do not fit the shares or the folds.
    """
    made = made or MadeRows()
    for done in range(1, ROUNDS + 1):
        clusters = cluster(numbers, pairs=pairs, groups=groups, parents=made.parents)
        splits, folds = _deal(splitter, clusters, labels, ~with_all_of_theirs(clusters.ids, made.only_train))
        parts = np.where(splits == TRAIN, (folds + 1) % (splitter.count + 1), LEFT_OUT).astype(np.int8)
        among = verify_with(parts, done)
        held_out = verify_with(splits, done) if (splits != TRAIN).any() else among
        found = {pair[:2] for check in (among, held_out) for pair in check.pairs}
        if not found:
            break
        one, other = np.array(sorted(found), dtype=np.uint64).T
        pairs = (np.concatenate([pairs[0], one]), np.concatenate([pairs[1], other]))
    certificate = certify(splitter, clusters, splits, held_out, method=method, rounds=done, only_train=made.only_train)
    told: dict[str, Any] = {
        "rows": [int((folds == fold).sum()) for fold in range(splitter.count)],
        "always": int((folds == splitter.count).sum()),
        "nested": splitter.within,
        "verified": {
            "rows": among.rows,
            "of": among.of,
            "pairs_found": len(among.pairs),
            "upper_bound": among.upper_bound,
        },
    }
    passed = certificate.passed and not among.pairs and not straddling(clusters.ids, parts)
    return Folded(splits, folds, clusters.ids, certificate.model_copy(update={"folds": told, "passed": passed}))


def _deal(
    splitter: Folding, clusters: Clusters, labels: NDArray[np.int64], dealt: NDArray[np.bool_]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The split and the fold of each row. What belongs to rows that only train trains in every fold."""
    of_dealt = clusters if dealt.all() else Clusters(clusters.ids[dealt], {})
    rows, joined_by = int(dealt.sum()), of_dealt.largest_joined_by()
    refuse_unfit(splitter, rows=rows, clusters=of_dealt.count, largest=of_dealt.largest, joined_by=joined_by)
    splits = np.full(len(dealt), TRAIN, dtype=np.int8)
    splits[dealt] = splitter.assign(clusters.ids[dealt], labels[dealt])
    train = dealt & (splits == TRAIN)
    folds = np.where(dealt, LEFT_OUT, splitter.count).astype(np.int8)
    folds[train] = splitter.deal_folds(clusters.ids[train], labels[train])
    return splits, folds
