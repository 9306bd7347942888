"""Rows that a model wrote: which of them only train, and which rows they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.rows import NUMBER, RECORD_BITS, ROW
from seedbed.core.table import Table
from seedbed.engine.jobs import Opened

Numbers = NDArray[np.uint64]
#: A row that another was made from: the SHA-256 of its file, and its record there.
Parent = tuple[str, int]

#: Copies of copies of copies that are followed to the row that stayed.
_STEPS = 8


@dataclass(frozen=True)
class Made:
    """What sources say of rows that were made. It speaks of files by their place in the run.

    Attributes:
        training: Files whose rows only train.
        parents: What the rows of a file were made from.
        files: Places of the files of a SHA-256.
        ledger: Shards of the ledger: what became of parents that are no rows any more.
    """

    training: frozenset[int]
    parents: Mapping[int, Sequence[Parent]]
    files: Mapping[str, Sequence[int]]
    ledger: Sequence[Path] = ()

    @classmethod
    def of(cls, opened: Sequence[Opened], ledger: Sequence[Sequence[Path]]) -> Made | None:
        """What the sources of a run say; none where they made no rows."""
        parents: dict[int, list[Parent]] = {}
        files: dict[str, list[int]] = {}
        training: set[int] = set()
        for one in opened:
            for place, file in enumerate(one.scan.files, one.first_file):
                files.setdefault(file.sha256, []).append(place)
            for place, hashed, record in one.source.parents(one.scan):
                parents.setdefault(one.first_file + place, []).append((hashed, record))
            if one.source.trains_only:
                training.update(range(one.first_file, one.first_file + len(one.scan.files)))
        shards = [shard for shards in ledger for shard in shards]
        return cls(frozenset(training), parents, files, shards) if training or parents else None

    def only_train(self, numbers: Numbers) -> NDArray[np.bool_] | None:
        """Whether each row only trains, shape (rows,); none where all may judge."""
        if not self.training:
            return None
        found: NDArray[np.bool_] = np.isin(numbers >> np.uint64(RECORD_BITS), sorted(self.training))
        return found

    def pairs(self, numbers: Numbers, table: Table) -> tuple[Numbers, Numbers]:
        """Made rows, and the rows that they were made from.

        In place of a parent that was rejected as a copy stands the copy that stayed; where none did, rows that were
        made from the same parent are paired with each other.

        Args:
            numbers: `NUMBER` of each row, ascending, shape (rows,).
            table: The rows.
        """
        told = {parent: self._numbers_of(parent) for shown in self.parents.values() for parent in shown}
        wanted = np.array(sorted({n for found in told.values() for n in found}), dtype=np.uint64)
        stays = self._stays(wanted[~np.isin(wanted, numbers)], table)
        here = set(wanted[np.isin(wanted, numbers)].tolist())
        first: dict[Parent, int] = {}
        ends: list[tuple[int, int]] = []
        for file, shown in self.parents.items():
            low, high = np.searchsorted(numbers, np.array([file, file + 1], dtype=np.uint64) << np.uint64(RECORD_BITS))
            for row in numbers[low:high].tolist():
                for parent in shown:
                    rows = [n if n in here else stays.get(n) for n in told[parent]]
                    present = [n for n in rows if n is not None] or [first.setdefault(parent, row)]
                    ends += [(row, other) for other in present if other != row]
        left, right = np.array(ends, dtype=np.uint64).reshape(-1, 2).T
        return left, right

    def _numbers_of(self, parent: Parent) -> list[int]:
        return [(file << RECORD_BITS) + parent[1] for file in self.files.get(parent[0], ())]

    def _stays(self, gone: Numbers, table: Table) -> dict[int, int]:
        """The row that stayed in place of each that was rejected as its copy, directly or through others."""
        if not len(gone) or not self.ledger:
            return {}
        kept = pl.col("evidence").str.json_path_match("$.kept")
        copies = pl.scan_parquet(list(self.ledger), glob=False).filter(action="rejected").select(NUMBER, ROW, kept=kept)
        instead = dict(
            copies.filter(_among(NUMBER, gone.tolist())).drop_nulls("kept").select(NUMBER, "kept").collect().iter_rows()
        )
        found: dict[int, int] = {}
        for _ in range(_STEPS):
            names = list(instead.values())
            if not names:
                break
            there = dict(table.scan().filter(_among(ROW, names)).select(ROW, NUMBER).collect().iter_rows())
            found |= {number: there[name] for number, name in instead.items() if name in there}
            further = dict(
                copies.filter(_among(ROW, names)).drop_nulls("kept").select(ROW, "kept").collect().iter_rows()
            )
            instead = {n: further[name] for n, name in instead.items() if name not in there and name in further}
        return found


def of_models(opened: Sequence[Opened]) -> pl.Expr | None:
    """Which rows a model wrote that only train; none where no source holds such."""
    making = [one for one in opened if one.source.trains_only]
    files = [one.first_file + place for one in making for place in range(len(one.scan.files))]
    return (pl.col(NUMBER) // (1 << RECORD_BITS)).is_in(files) if files else None


def _among(column: str, values: Sequence[int | str]) -> pl.Expr:
    kind = pl.UInt64() if column == NUMBER else pl.String()
    return pl.col(column).is_in(pl.Series(values, dtype=kind).implode())
