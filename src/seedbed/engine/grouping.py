"""Brings rows of one key together, out of core: what a `Reduce` may ask for, on this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from seedbed.core.errors import BooksError
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import VERDICT_SCHEMA
from seedbed.core.table import Table

from .jobs import write_parquet

#: Keys that are looked at together; partitions are made so that they hold about as many.
PARTITION_KEYS = 2_000_000


@dataclass(frozen=True)
class LocalGroups:
    """`Groups` over keys in Parquet files, partitioned by DuckDB when they are many."""

    folder: Path
    keys: tuple[Path, ...]
    table: Table
    survey: Mapping[str, int]

    @cached_property
    def _partitions(self) -> list[list[Path]]:
        count = -(-sum(pq.read_metadata(path).num_rows for path in self.keys) // PARTITION_KEYS)
        if count <= 1:
            return [list(self.keys)]
        import duckdb

        place = self.folder / "partitions"
        if not place.exists():
            partial = Path(tempfile.mkdtemp(dir=self.folder))
            with duckdb.connect() as connection:
                connection.execute(f"SET temp_directory = '{_quoted(self.folder / 'spill')}'")
                connection.execute("SET preserve_insertion_order = false")
                files = ", ".join(f"'{_quoted(path)}'" for path in self.keys)
                connection.execute(
                    f"COPY (SELECT *, hash(key) % {count} AS _part FROM read_parquet([{files}])) "
                    f"TO '{_quoted(partial)}' (FORMAT parquet, PARTITION_BY (_part), OVERWRITE_OR_IGNORE)"
                )
            try:
                partial.rename(place)
            except OSError:  # another run of the same recipe was faster
                shutil.rmtree(partial)
        return [sorted(part.glob("*.parquet")) for part in sorted(place.iterdir())]

    def partitions(self) -> Iterator[pl.DataFrame]:
        """The keys in pieces, sorted by row; rows with equal `key` are in one piece."""
        for files in self._partitions:
            pieces = [pl.read_parquet(file, glob=False, hive_partitioning=False) for file in files]
            yield pl.concat(pieces).sort(NUMBER, maintain_order=True)

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


def write_verdicts(pieces: Iterator[pl.DataFrame], path: Path, part: str) -> int:
    """Write verdicts as `NUMBER`, `reason` and `evidence` (JSON of their other columns), sorted; returns how many.

    Raises:
        BooksError: A row got two verdicts.
    """
    written = [_as_verdicts(piece) for piece in pieces if piece.height]
    empty = pl.DataFrame(schema={**VERDICT_SCHEMA, "evidence": pl.String})
    verdicts = pl.concat([empty, *written]).sort(NUMBER)
    if verdicts[NUMBER].n_unique() != verdicts.height:
        raise BooksError("a row got two verdicts", at=part)
    write_parquet(verdicts, path)
    return verdicts.height


def _as_verdicts(piece: pl.DataFrame) -> pl.DataFrame:
    facts = [name for name in piece.columns if name not in (NUMBER, "reason")]
    evidence = pl.struct(facts).struct.json_encode() if facts else pl.lit("{}")
    return piece.select(pl.col(NUMBER).cast(pl.UInt64), pl.col("reason").cast(pl.String), evidence.alias("evidence"))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
