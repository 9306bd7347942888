"""Deals clusters to splits, largest first, to the split that lacks their labels most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.similarity.shingles import mix
from seedbed.core.splitter import Splitter

from .several_labels import deal_labels

TRAIN = 0
#: The largest cluster that a held-out split takes, as multiples of the rows it is to get. The first is the rule; the
#: others are tried only where the smaller clusters could not fill the held-out splits.
_LIMITS = (0.5, 1.0, 2.0)

_Ints = NDArray[np.int64]


@dataclass
class _Hands:
    """Rows that each split is to get, and has got, by label."""

    targets: list[list[float]]
    got: list[list[float]]
    lacks: list[float] = field(init=False)
    """Rows of any label that each split still lacks."""
    held_out: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.lacks = [sum(row) for row in self.targets]
        self.held_out = list(range(1, len(self.targets)))

    def give(self, split: int, label: int, rows: float) -> None:
        self.got[split][label] += rows
        self.lacks[split] -= rows

    def deficit(self, split: int, pieces: Iterable[tuple[int, int]]) -> float:
        """How much of what it is to get of a cluster's labels a split lacks, weighted by the cluster's rows."""
        targets, got = self.targets[split], self.got[split]
        return sum(rows * (targets[label] - got[label]) / targets[label] for label, rows in pieces)


def deal(splitter: Splitter, clusters: _Ints, labels: _Ints) -> NDArray[np.int8]:
    """The split of each row, so that rows of one cluster share it and labels are spread as the shares ask.

    Clusters of several rows come first, the largest before the others: each goes to the split with the greatest deficit
    of its labels, relative to what the split is to get of them. A cluster of more than half the rows that a held-out
    split is to get does not go there (unless smaller ones cannot fill it). Single rows then fill, label by label, what
    is lacking. A label with at least as many single rows as splits reaches every split, even where that costs shares.
    The order of rows does not matter; ties are drawn from the seed and the clusters' ids.

    Args:
        splitter: Gives the shares, the seed, and what joins rows (for messages).
        clusters: Cluster of each row, shape (rows,).
        labels: Label of each row, coded by integers, shape (rows,), all alike when labels do not matter; or whether it
            has each of several, shape (rows, labels): see `deal_labels`.

    Returns:
        Index into `splitter.shares` of each row, shape (rows,).

    Raises:
        DataError: Too few rows or clusters, a cluster larger than train, or a split that stays empty.
    """
    shares = list(splitter.shares.values())
    ids, cluster_of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    refuse_unfit(splitter, rows=len(clusters), clusters=len(ids), largest=int(sizes.max(initial=0)))
    if labels.ndim == 2:
        return _deal_labels(splitter, clusters, labels)
    _, coded, totals = np.unique(labels, return_inverse=True, return_counts=True)
    hands = _Hands(
        targets=[[share * total for total in totals.tolist()] for share in shares],
        got=[[0.0] * len(totals) for _ in shares],
    )
    keys = _drawn(ids, splitter.seed)
    hands.held_out.sort(key=_drawn(np.arange(len(shares)), splitter.seed).tolist().__getitem__)
    limits = _limits(sizes, hands.lacks)
    split_of = np.full(len(ids), -1, dtype=np.int8)
    order = np.lexsort((keys, -sizes))
    several = order[sizes[order] > 1]
    for cluster, pieces in zip(several.tolist(), _pieces(several, cluster_of, coded, sizes), strict=True):
        split_of[cluster] = _choose(hands, pieces, limits)
        for label, rows in pieces:
            hands.give(split_of[cluster], label, rows)
    single_rows = sizes[cluster_of] == 1
    singles, single_labels = cluster_of[single_rows], coded[single_rows]
    split_of[singles[np.lexsort((keys[singles], single_labels))]] = _deal_singles(
        hands, np.bincount(single_labels, minlength=len(totals)).tolist()
    )
    _fill_empty(splitter, split_of, sizes, keys, limits)
    return split_of[cluster_of]


def _deal_labels(splitter: Splitter, clusters: _Ints, labels: _Ints) -> NDArray[np.int8]:
    """As `deal`, where a row has any number of labels."""
    shares = list(splitter.shares.values())
    ids, first, cluster_of, sizes = np.unique(clusters, return_index=True, return_inverse=True, return_counts=True)
    limits = _limits(sizes, [share * len(clusters) for share in shares])
    dealt = deal_labels(shares, clusters, labels.astype(bool), seed=splitter.seed, limits=limits)
    split_of = dealt[first].astype(np.int8)
    _fill_empty(splitter, split_of, sizes, _drawn(ids, splitter.seed), limits)
    return split_of[cluster_of]


def _drawn(numbers: _Ints, seed: int) -> NDArray[np.uint64]:
    """Keys that sort different numbers in an order drawn by the seed.

    A number's key depends on nothing else, so that most rows keep their splits when others leave. NumPy's generators
    would not do: their streams may change between versions.
    """
    return mix(mix(numbers.astype(np.uint64)) ^ mix(np.array([seed % 2**64], dtype=np.uint64)))


def refuse_unfit(splitter: Splitter, *, rows: int, clusters: int, largest: int, joined_by: str = "") -> None:
    """Refuse rows that cannot be split as asked.

    Raises:
        DataError: Fewer rows or clusters than splits, or a cluster larger than train is to be.
    """
    names = list(splitter.shares)
    if rows < len(names):
        raise DataError(
            f"{rows} {'row' if rows == 1 else 'rows'} cannot be split into {', '.join(names)}",
            at="split",
            hint=f"at least {len(names)} rows must be left after the steps",
        )
    train = splitter.shares["train"]
    if largest > max(1.0, train * rows + 1e-6):
        raise DataError(
            f"{largest:,} of {things(rows, 'row')} belong together ({largest / rows:.1%}), more than train is to get "
            f"({train:.1%}); joined by {joined_by or _what_joins(splitter)}",
            at="split",
            hint="remove the copies first (near_duplicates), raise `keep_together.at_least`, choose a finer `group`, "
            "or give train a larger share",
        )
    if clusters < len(names):
        raise DataError(
            f"the rows form only {things(clusters, 'cluster')} of rows that belong together, fewer "
            f"than the {len(names)} splits",
            at="split",
            hint="raise `keep_together.at_least`, choose a finer `group`, or ask for fewer splits",
        )


def _what_joins(splitter: Splitter) -> str:
    joins = [f"equal {splitter.group!r}"] if splitter.group else []
    if splitter.keep_together:
        joins.append(f"texts with a similarity of at least {splitter.keep_together.at_least:g}")
    else:
        joins.append("equal texts")
    return " or ".join(joins)


def _limits(sizes: _Ints, targets: list[float]) -> list[float]:
    """Rows of the largest cluster that each split may get."""
    limits = [float("inf")]
    wanted = sum(targets[1:])
    for target in targets[1:]:
        for times in _LIMITS:
            limit = max(1.0, times * target)
            if sizes[sizes <= limit].sum() >= wanted:
                break
        limits.append(limit)
    return limits


def _pieces(several: _Ints, cluster_of: _Ints, coded: _Ints, sizes: _Ints) -> Iterator[list[tuple[int, int]]]:
    """The labels of each cluster, with their rows, in the order asked for."""
    labels = int(coded.max(initial=0)) + 1
    rows = sizes[cluster_of] > 1
    cells, counts = np.unique(cluster_of[rows] * labels + coded[rows], return_counts=True)
    starts, ends = np.searchsorted(cells // labels, several), np.searchsorted(cells // labels, several, side="right")
    named, counted = (cells % labels).tolist(), counts.tolist()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield list(zip(named[start:end], counted[start:end], strict=True))


def _choose(hands: _Hands, pieces: list[tuple[int, int]], limits: list[float]) -> int:
    size = sum(rows for _, rows in pieces)
    best, chosen = None, TRAIN
    for split in (TRAIN, *hands.held_out):
        if size > limits[split]:
            continue
        # Where labels do not decide (the first of a label), train comes first while it lacks rows.
        rank = (hands.deficit(split, pieces), split == TRAIN and hands.lacks[TRAIN] > 0, hands.lacks[split])
        if best is None or rank > best:
            best, chosen = rank, split
    return chosen


def _deal_singles(hands: _Hands, counts: list[int]) -> NDArray[np.int8]:
    """Splits for single rows that stand label by label, `counts` of each."""
    splits = len(hands.targets)
    taken = [[0] * len(counts) for _ in range(splits)]
    left = list(counts)
    open_to: list[list[int]] = [[] for _ in counts]  # splits that may get one of the rows that rounding leaves

    def give(split: int, label: int, rows: int) -> None:
        taken[split][label] += rows
        left[label] -= rows
        hands.give(split, label, rows)

    # Rare labels first, so that train still has room for the single row of a label.
    for label in sorted(range(len(counts)), key=lambda one: (counts[one], one)):
        for split in _missing(hands, label, left[label]):
            give(split, label, 1)
        wanted = [max(0.0, hands.targets[split][label] - hands.got[split][label]) for split in range(splits)]
        scale = left[label] / (sum(wanted) or 1.0)
        for split in (TRAIN, *hands.held_out):
            exact = wanted[split] * scale
            give(split, label, min(int(exact + 1e-9), left[label]))
            if exact - int(exact + 1e-9) > 1e-9:
                open_to[label].append(split)
    # Only now, so that rounding many labels does not add up to uneven splits.
    for label, rows in enumerate(left):
        candidates = open_to[label] if len(open_to[label]) >= rows else [TRAIN, *hands.held_out]
        for split in sorted(candidates, key=lambda split: -hands.lacks[split])[:rows]:
            give(split, label, 1)
    dealt = np.array(taken).T.reshape(-1)
    return np.repeat(np.tile(np.arange(splits, dtype=np.int8), len(counts)), dealt)


def _missing(hands: _Hands, label: int, rows: int) -> list[int]:
    """Splits that the label has not reached, train first, as many as it has rows for."""
    missing = [split for split in hands.held_out if not hands.got[split][label]]
    missing.sort(key=lambda split: -hands.lacks[split])
    if not hands.got[TRAIN][label] and (rows > len(missing) or hands.lacks[TRAIN] > 0):
        missing.insert(0, TRAIN)
    return missing[:rows]


def _fill_empty(
    splitter: Splitter, split_of: NDArray[np.int8], sizes: _Ints, keys: NDArray[np.uint64], limits: list[float]
) -> None:
    """Give a split without rows the smallest cluster of the split that has most of them."""
    names, asked = list(splitter.shares), list(splitter.shares.values())
    for empty in np.flatnonzero(np.bincount(split_of, minlength=len(names)) == 0).tolist():
        donor = np.bincount(split_of, minlength=len(names)).argmax()
        theirs = np.flatnonzero(split_of == donor)
        smallest = theirs[np.lexsort((keys[theirs], sizes[theirs]))[0]]
        if len(theirs) < 2 or sizes[smallest] > limits[empty]:
            raise DataError(
                f"{names[empty]} would get no rows: it is to get {asked[empty] * sizes.sum():,.0f}, and the smallest "
                f"of the {things(len(sizes), 'cluster')} of rows that belong together has {sizes[smallest]:,}",
                at="split",
                hint=f"give {names[empty]} a larger share, choose a finer `group`, or raise `keep_together.at_least`",
            )
        split_of[smallest] = empty
