"""Brings the rows of each unit of work together and does the work, in workers: `Groups.over`.

Rows of a unit lie anywhere in the table. So the table is read once, a few shards at a time, and what the units need of
it is written by unit; then each unit is read from these files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from seedbed.core.context import Context
from seedbed.core.rows import NUMBER
from seedbed.core.step import UNIT
from seedbed.core.table import Table

from .jobs import write_parquet
from .workers import Workers

Work = Callable[[pl.DataFrame], pl.DataFrame]

#: Shards that are spread together: what units need of them is in memory.
_SHARDS = 16
# Rows that a reader of one unit may have to read beside its own, in each file.
_ROWS = 4_096


def over(
    table: Table,
    work: Work,
    units: pl.DataFrame,
    columns: Sequence[str],
    *,
    workers: Workers,
    folder: Path,
    context: Context,
) -> Iterator[pl.DataFrame]:
    """What work makes of the rows of each unit, in the order of the units.

    Args:
        table: Holds the rows.
        work: Given the rows of a unit, sorted by `NUMBER`; it pickles.
        units: `NUMBER` and `UNIT`, sorted.
        columns: Columns of the table that the work needs.
        workers: Do it.
        folder: For files between; every worker sees it.
        context: Where progress is shown.
    """
    if units.is_empty():
        return
    wanted = folder / "units.parquet"
    units.write_parquet(wanted, compression="lz4", row_group_size=1 << 16)
    runs = [table.shards[start : start + _SHARDS] for start in range(0, len(table.shards), _SHARDS)]
    spread = _Spread(wanted, tuple(dict.fromkeys([NUMBER, *columns])), folder)
    files: list[Path] = []
    with context.stage("Bringing rows together", len(table.shards), "shards") as stage:
        for file in workers.run(spread, enumerate(runs)):
            files += [file] if file else []
            stage.advance(len(table.shards) / len(runs))
    names = units[UNIT].unique().sort().to_list()
    with context.stage("Comparing rows in units", len(names), "units") as stage:
        for _ in workers.run(_Done(work, tuple(sorted(files)), folder), names):
            stage.advance()
    for name in names:
        yield pl.read_parquet(_outcome(folder, name), glob=False)


def _outcome(folder: Path, unit: int) -> Path:
    return folder / f"done-{unit:06}.parquet"


@dataclass(frozen=True)
class _Spread:
    """Writes what units need of some shards, by unit."""

    units: Path
    columns: tuple[str, ...]
    folder: Path

    def __call__(self, run: tuple[int, Sequence[Path]]) -> Path | None:
        place, shards = run
        found = [piece for shard in shards if (piece := self._of(shard)).height]
        if not found:
            return None
        path = self.folder / f"spread-{place:06}.parquet"
        table = pl.concat(found).sort(UNIT, NUMBER)
        table.write_parquet(path, compression="lz4", row_group_size=_ROWS)
        return path

    def _of(self, shard: Path) -> pl.DataFrame:
        rows = pl.read_parquet(shard, columns=list(self.columns), glob=False)
        within = pl.col(NUMBER).is_between(rows[NUMBER].min(), rows[NUMBER].max())
        units = pl.scan_parquet(self.units, glob=False).filter(within).collect()
        return units.join(rows, on=NUMBER, how="inner")


@dataclass(frozen=True)
class _Done:
    """Does the work of one unit."""

    work: Work
    files: tuple[Path, ...]
    folder: Path

    def __call__(self, unit: int) -> None:
        rows = pl.scan_parquet(list(self.files), glob=False).filter(pl.col(UNIT) == unit).drop(UNIT).collect()
        write_parquet(self.work(rows.sort(NUMBER)), _outcome(self.folder, unit))
