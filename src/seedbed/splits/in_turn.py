"""Gives rows their splits one after the other, the oldest first: what a row gets, no younger row can change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.similarity.components import components
from seedbed.core.splitter import LEFT_OUT, Certificate, InTurn

from .certify import ROUNDS, certify
from .clusters import Clusters, Numbers, cluster
from .dealing import TRAIN, refuse_unfit
from .verify import Verification

BRIDGES = "bridges_splits"

_Positions = NDArray[np.int64]
_Places = NDArray[np.int8]


@dataclass(frozen=True)
class Rows:
    """Rows that are to be split. Rows are named by their positions."""

    numbers: Numbers
    """`NUMBER` of each, ascending, shape (rows,)."""
    identities: NDArray[np.uint64]
    """A hash of what each says, shape (rows,)."""
    turns: _Positions
    """Positions, the oldest row first, shape (rows,)."""
    left: _Positions
    """One end of each pair of near copies, all of them; rows with equal sets may be paired with one of them only."""
    right: _Positions
    similarity: NDArray[np.float64]
    """Of each pair; 1 for equal sets."""
    groups: Sequence[pl.Series] = ()
    """Columns whose equal values belong together; null is no group."""
    parents: tuple[_Positions, _Positions] | None = None
    """Made rows, and rows that they were made from."""
    only_train: NDArray[np.bool_] | None = None
    """Rows that may not be held out, shape (rows,)."""
    stay: _Places | None = None
    """Split of each row that an earlier run has dealt, `LEFT_OUT` for the others, shape (rows,)."""


@dataclass(frozen=True)
class Neighbour:
    """An older row that a row belongs to."""

    row: int
    """Its position."""
    split: int
    similarity: float | None
    """Of the two texts; none where both are of one group, or one was made from the other."""


@dataclass(frozen=True)
class Turned:
    """What came out."""

    places: _Places
    """Split of each row, shape (rows,); `LEFT_OUT` for those that are in none."""
    bridging: Mapping[int, tuple[Neighbour, ...]]
    """For each row that is left out: a neighbour of each split that it would bridge, the oldest first."""
    clusters: _Positions
    """Cluster of each row, shape (rows,), in the sense of `cluster`; of rows that are left out, nothing."""
    certificate: Certificate


def in_turn(splitter: InTurn, rows: Rows) -> tuple[_Places, dict[int, tuple[Neighbour, ...]]]:
    """The split of each row, `LEFT_OUT` where its older neighbours disagree, and those neighbours.

    A row that only trains is left out where an older neighbour is held out, too: the older row stays where it is.
    """
    places = splitter.own(rows.identities)
    if rows.stay is not None:
        places = np.where(rows.stay == LEFT_OUT, places, rows.stay)
    if rows.only_train is not None:
        places[rows.only_train] = TRAIN
    standing = _Standing(rows)
    bridging: dict[int, tuple[Neighbour, ...]] = {}
    for row in rows.turns[standing.related[rows.turns]].tolist():
        found = standing.neighbours(row)
        splits = {one.split for one in found}
        if len(splits) > 1 or (rows.only_train is not None and rows.only_train[row] and splits - {TRAIN}):
            bridging[row] = found
            places[row] = LEFT_OUT
            continue
        if found:
            places[row] = found[0].split
        standing.take(row, int(places[row]))
    return places, bridging


@dataclass
class _Standing:
    """What rows that had their turn mean for those that come.

    Rows with equal sets have the same near copies, so they are looked at together, as a set. All rows of a set, and of
    a group, that are in a split are in the same one; and so are those of two sets that are near.
    """

    rows: Rows
    related: NDArray[np.bool_] = field(init=False)
    """Rows that have any neighbour, shape (rows,)."""
    _set_of: _Positions = field(init=False)
    _near: dict[int, list[tuple[int, float]]] = field(init=False)
    _groups: list[NDArray[np.int64]] = field(init=False)
    _first: dict[tuple[int, int], Neighbour] = field(default_factory=dict)
    """The first row of a set (kind -1) or of a group (its column), by kind and number."""
    _bridged: dict[int, tuple[Neighbour, ...]] = field(default_factory=dict)
    """Sets whose near copies disagree, which no younger row can mend."""
    _age: _Positions = field(init=False)
    _kin: dict[int, list[int]] = field(default_factory=dict)
    """What a row was made from, and what was made from it."""
    _split_of: dict[int, int] = field(default_factory=dict)
    """Of rows that have kin and had their turn."""

    def __post_init__(self) -> None:
        rows, count = self.rows, len(self.rows.numbers)
        self._age = np.argsort(rows.turns)
        equal = rows.similarity >= 1
        self._set_of = components(count, rows.left[equal], rows.right[equal])
        self._near = _adjacent(
            self._set_of[rows.left[~equal]], self._set_of[rows.right[~equal]], rows.similarity[~equal]
        )
        self._groups = [_coded(values) for values in rows.groups]
        self.related = np.bincount(self._set_of, minlength=count)[self._set_of] > 1
        self.related |= np.isin(self._set_of, np.fromiter(self._near, dtype=np.int64, count=len(self._near)))
        for group in self._groups:
            named = group >= 0
            self.related[named] |= np.bincount(group[named])[group[named]] > 1
        for one, other in zip(*(rows.parents or ((), ())), strict=True):
            self._kin.setdefault(int(one), []).append(int(other))
            self._kin.setdefault(int(other), []).append(int(one))
        self.related[list(self._kin)] = True

    def neighbours(self, row: int) -> tuple[Neighbour, ...]:
        """The oldest neighbour of each split, the oldest first."""
        own_set = int(self._set_of[row])
        found = [one for kind, group in enumerate(self._groups) if (one := self._first.get((kind, int(group[row]))))]
        if own_set in self._bridged:
            found += self._bridged[own_set]
        elif one := self._first.get((-1, own_set)):
            found.append(one)
        else:
            near = self._oldest(self._near_to(own_set))
            if len(near) > 1:
                self._bridged[own_set] = near
            found += near
        kin = (one for one in self._kin.get(row, ()) if one in self._split_of)
        found += [Neighbour(one, self._split_of[one], None) for one in kin]
        return self._oldest(found)

    def take(self, row: int, split: int) -> None:
        """A row is in a split now."""
        self._first.setdefault((-1, int(self._set_of[row])), Neighbour(row, split, 1.0))
        for kind, group in enumerate(self._groups):
            if group[row] >= 0:
                self._first.setdefault((kind, int(group[row])), Neighbour(row, split, None))
        if row in self._kin:
            self._split_of[row] = split

    def _near_to(self, own_set: int) -> Iterator[Neighbour]:
        for other, similarity in self._near.get(own_set, ()):
            if first := self._first.get((-1, other)):
                yield Neighbour(first.row, first.split, similarity)

    def _oldest(self, found: Iterable[Neighbour]) -> tuple[Neighbour, ...]:
        """The oldest of each split, the oldest first."""
        oldest: dict[int, Neighbour] = {}
        for one in sorted(found, key=lambda one: self._age[one.row]):
            oldest.setdefault(one.split, one)
        return tuple(oldest.values())


def _adjacent(
    left: _Positions, right: _Positions, similarity: NDArray[np.float64]
) -> dict[int, list[tuple[int, float]]]:
    """The near sets of each set that has any, with their similarity."""
    ends = np.concatenate([left, right])
    others, likeness = np.concatenate([right, left]), np.concatenate([similarity, similarity])
    order = np.argsort(ends, kind="stable")
    named, starts = np.unique(ends[order], return_index=True)
    others, likeness = others[order], likeness[order]
    stretches = pairwise([*starts.tolist(), len(order)])
    return {
        name: list(zip(others[start:end].tolist(), likeness[start:end].tolist(), strict=True))
        for name, (start, end) in zip(named.tolist(), stretches, strict=True)
    }


def _coded(values: pl.Series) -> NDArray[np.int64]:
    """Each value as the first row that has it; -1 where there is none."""
    if values.dtype.is_float():
        values = values.fill_nan(None)
    table = pl.DataFrame({"row": np.arange(len(values), dtype=np.int64), "group": values})
    first = pl.when(pl.col("group").is_not_null()).then(pl.col("row").min().over("group"))
    return table.select(first.fill_null(-1)).to_series().to_numpy()


def split_in_turn(
    splitter: InTurn, rows: Rows, *, verify_with: Callable[[_Places, int], Verification], method: str
) -> Turned:
    """Split rows, have the split checked, and certify it.

    Of a pair that only the check finds, the younger row is left out, and the others stay where they are: which pairs a
    check finds depends on its sample, and the split must not.

    Args:
        splitter: Says where a row goes that belongs to no older one.
        rows: The rows.
        verify_with: Checks the splits of the rows that are in one, given the round from 1; see `make_split`.
        method: How the pairs were found, for the certificate.

    Raises:
        DataError: The rows do not fit the shares.
    """
    places, bridging = in_turn(splitter, rows)
    turn = np.argsort(rows.turns)
    for done in range(1, ROUNDS + 1):
        _refuse_empty(splitter, places)
        verification = verify_with(places, done)
        if not verification.pairs:
            break
        for one, other, similarity in verification.pairs:
            ends = np.searchsorted(rows.numbers, np.array([one, other], dtype=np.uint64))
            old, young = sorted(ends.tolist(), key=turn.__getitem__)
            if LEFT_OUT not in places[[old, young]]:
                bridging[young] = (Neighbour(old, int(places[old]), similarity),)
                places[young] = LEFT_OUT
    clusters = _clusters(rows, places)
    kept = places != LEFT_OUT
    refuse_unfit(
        splitter,
        rows=int(kept.sum()),
        clusters=clusters.count,
        largest=clusters.largest,
        joined_by=clusters.largest_joined_by(),
    )
    ids = np.full(len(places), LEFT_OUT, dtype=np.int64)
    ids[kept] = clusters.ids
    certificate = certify(
        splitter,
        clusters,
        places[kept],
        verification,
        method=method,
        rounds=done,
        only_train=None if rows.only_train is None else rows.only_train[kept],
    )
    return Turned(places, bridging, ids, certificate)


def _clusters(rows: Rows, places: _Places) -> Clusters:
    """The clusters of the rows that are in a split. What only a row that was left out joins is not joined."""
    kept = places != LEFT_OUT
    equal = rows.similarity >= 1
    sets = components(len(places), rows.left[equal], rows.right[equal])
    # A set is stood for by its first row that was not left out.
    stands = np.full(len(places), LEFT_OUT, dtype=np.int64)
    positions = np.flatnonzero(kept)
    stands[sets[positions[::-1]]] = positions[::-1]
    left, right = stands[sets[rows.left[~equal]]], stands[sets[rows.right[~equal]]]
    both = (left != LEFT_OUT) & (right != LEFT_OUT)
    ends = np.concatenate([left[both], positions]), np.concatenate([right[both], stands[sets[positions]]])
    apart = ends[0] != ends[1]
    pairs = (rows.numbers[ends[0][apart]], rows.numbers[ends[1][apart]])
    parents = None
    if rows.parents is not None:
        here = kept[rows.parents[0]] & kept[rows.parents[1]]
        parents = (rows.numbers[rows.parents[0][here]], rows.numbers[rows.parents[1][here]])
    groups = [group.filter(pl.Series(kept)) for group in rows.groups]
    return cluster(rows.numbers[kept], pairs=pairs, groups=groups, parents=parents)


def _refuse_empty(splitter: InTurn, places: _Places) -> None:
    names = list(splitter.shares)
    got = np.bincount(places[places != LEFT_OUT], minlength=len(names))
    for name, rows in zip(names, got.tolist(), strict=True):
        if not rows:
            raise DataError(
                f"{name} gets no row: a hash deals {things(len(places), 'row')} by chance",
                at="split",
                hint=f"give {name} a larger share, take another seed, or use: stratified for so few rows",
            )
