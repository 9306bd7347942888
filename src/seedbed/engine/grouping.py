"""Brings rows of one key together, out of core: what a `Reduce` may ask for, on this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.context import Context
from seedbed.core.errors import BooksError
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.table import Table
from seedbed.store.store import Store, arriving

from .over import Work, over
from .partitioning import deal
from .pool import Pool
from .workers import Workers

#: Keys that are looked at together; partitions are made so that they hold about as many.
PARTITION_KEYS = 1_000_000
#: What DuckDB may keep in memory where verdicts are sorted; it spills what is more beside them.
MEMORY = "200MB"
# Verdicts of a row group: what a shard's reader has to look at beside its own.
_VERDICTS = 1 << 16


@dataclass(frozen=True)
class LocalGroups:
    """`Groups` over keys in Parquet files, dealt out to partitions when they are many."""

    folder: Path
    keys: tuple[Path, ...]
    table: Table
    survey: Mapping[str, int]
    context: Context = field(default_factory=Context)
    workers: Workers = field(default_factory=lambda: Pool(1))

    @cached_property
    def _partitions(self) -> list[list[Path]]:
        count = partitions_of(self.keys)
        if count <= 1:
            return [list(self.keys)]
        place = self.folder / "partitions"
        if not place.exists():
            partial = Path(tempfile.mkdtemp(dir=self.folder))
            try:
                with self.context.stage("Bringing keys together"):
                    deal(self.keys, count, partial, self.workers)
                with suppress(OSError):  # another run of the same recipe was faster
                    partial.rename(place)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return [found for part in sorted(place.iterdir()) if (found := sorted(part.iterdir()))]

    def partitions(self) -> Iterator[pl.DataFrame]:
        """The keys in pieces, sorted by row; rows with equal `key` are in one piece."""
        for files in self._partitions:
            keys = pl.concat(map(_read, files))
            yield keys if keys[NUMBER].is_sorted() else keys.sort(NUMBER, maintain_order=True)

    @cached_property
    def _starts(self) -> tuple[list[Path], np.ndarray[tuple[int], np.dtype[np.uint64]]]:
        shards, starts = [], []
        for shard in self.table.shards:
            first = pl.read_parquet(shard, columns=[NUMBER], n_rows=1, glob=False)
            if first.height:
                shards.append(shard)
                starts.append(first.item())
        return shards, np.asarray(starts, dtype=np.uint64)

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """`NUMBER`, `ROW` and columns of some rows, sorted; only the shards that hold them are read."""
        wanted = numbers.cast(pl.UInt64).unique().sort()
        names = list(dict.fromkeys([NUMBER, ROW, *columns]))
        shards, starts = self._starts
        places = np.searchsorted(starts, wanted.to_numpy(), side="right") - 1
        found = [
            pl.read_parquet(shards[place], columns=names, glob=False).filter(
                pl.col(NUMBER).is_in(wanted.filter(pl.Series(places == place)).implode())
            )
            for place in np.unique(places[places >= 0])
        ]
        return pl.concat(found) if found else pl.DataFrame(schema={n: self.table.schema[n] for n in names})

    def over(self, work: Work, units: pl.DataFrame, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """What work makes of the rows of each unit (`NUMBER`, `UNIT`; sorted), in the order of the units."""
        with Store.of(self.context).workspace("over") as folder:
            yield from over(self.table, work, units, columns, workers=self.workers, folder=folder, context=self.context)


def _read(file: Path) -> pl.DataFrame:
    if file.suffix == ".arrow":
        return pl.read_ipc(file)
    return pl.read_parquet(file, glob=False, hive_partitioning=False)


def partitions_of(keys: Sequence[Path]) -> int:
    """How many partitions keys in files make."""
    rows: int = sum(pq.read_metadata(path).num_rows for path in keys)
    return -(-rows // PARTITION_KEYS)


def write_verdicts(pieces: Iterator[pl.DataFrame], path: Path, part: str) -> int:
    """Write verdicts as `NUMBER`, `reason` and `evidence` (JSON of their other columns), sorted; returns how many.

    They are written as they come, and sorted out of core afterwards where they did not come in order.

    Raises:
        BooksError: A row got two verdicts.
    """
    with arriving(path) as partial:
        last, count, ordered = -1, 0, True
        with pq.ParquetWriter(partial, _VERDICT_TABLE, compression="lz4") as writer:
            for piece in pieces:
                piece = piece.sort(NUMBER)
                numbers = piece[NUMBER].to_numpy()
                if (numbers[1:] == numbers[:-1]).any():
                    raise BooksError("a row got two verdicts", at=part)
                for some in piece.iter_slices(_VERDICTS):  # as JSON they are several times as large
                    writer.write_table(_as_verdicts(some).to_arrow().cast(_VERDICT_TABLE), row_group_size=_VERDICTS)
                if len(numbers):
                    ordered &= int(numbers[0]) > last
                    last, count = int(numbers[-1]), count + len(numbers)
        if not ordered:
            _sort_verdicts(partial, part)
    return count


def _sort_verdicts(path: Path, part: str) -> None:
    """Sort a file of verdicts in place, out of core.

    Raises:
        BooksError: A row got two verdicts.
    """
    import duckdb

    with arriving(path) as again, duckdb.connect(config=_spilling(path.parent)) as connection:
        verdicts = f"read_parquet('{_quoted(path)}')"
        if connection.execute(f"SELECT 1 FROM {verdicts} GROUP BY {NUMBER} HAVING count(*) > 1 LIMIT 1").fetchone():
            raise BooksError("a row got two verdicts", at=part)
        connection.execute(
            f"COPY (SELECT * FROM {verdicts} ORDER BY {NUMBER}) "
            f"TO '{_quoted(again)}' (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE {_VERDICTS})"
        )


def _spilling(folder: Path) -> dict[str, Any]:
    return {"memory_limit": MEMORY, "temp_directory": str(folder / "spill")}


def _as_verdicts(piece: pl.DataFrame) -> pl.DataFrame:
    facts = [name for name in piece.columns if name not in (NUMBER, "reason")]
    evidence = pl.struct(facts).struct.json_encode() if facts else pl.lit("{}")
    return piece.select(pl.col(NUMBER).cast(pl.UInt64), pl.col("reason").cast(pl.String), evidence.alias("evidence"))


_VERDICT_TABLE = pa.schema([(NUMBER, pa.uint64()), ("reason", pa.large_string()), ("evidence", pa.large_string())])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
