"""The Parquet files of a dataset folder, measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from seedbed.core import digest
from seedbed.core.errors import BooksError, DataError
from seedbed.core.run import Run
from seedbed.core.splitter import SPLITS

_NAME = re.compile(r"(\w+)-\d{5}-of-\d{5}\.parquet")


@dataclass(frozen=True)
class Shard:
    """One file of one split."""

    path: str
    """Relative to the dataset folder, with `/`."""
    split: str
    rows: int
    stored_bytes: int
    arrow_bytes: int
    """Bytes of its rows as Arrow tables."""
    sha256: str


@dataclass(frozen=True)
class Shards:
    """All files of a dataset, and the columns that they share."""

    files: tuple[Shard, ...]
    columns: dict[str, str]
    """Names and Polars types, as text."""

    def by_split(self) -> dict[str, list[Shard]]:
        """The files of each split, in order."""
        found: dict[str, list[Shard]] = {}
        for shard in self.files:
            found.setdefault(shard.split, []).append(shard)
        return found


def measure(folder: Path, run: Run) -> Shards:
    """Measure `folder/data/SPLIT-NNNNN-of-NNNNN.parquet`, one batch in memory at a time.

    Raises:
        DataError: A file cannot be read, or its columns are not those of the others.
        BooksError: The files do not hold as many rows of each split as the run says.
    """
    named = sorted(
        (path, found[1]) for path in (folder / "data").glob("*.parquet") if (found := _NAME.fullmatch(path.name))
    )
    order = {split: i for i, split in enumerate(SPLITS)}
    named.sort(key=lambda pair: order.get(pair[1], len(order)))
    files: list[Shard] = []
    columns: dict[str, str] = {}
    for path, split in named:
        try:
            own = {name: str(kind) for name, kind in pl.read_parquet_schema(path).items()}
            arrow = sum(batch.nbytes for batch in pq.ParquetFile(path).iter_batches(65_536))
            rows = pq.read_metadata(path).num_rows
        except (OSError, pl.exceptions.PolarsError, ValueError) as error:
            raise DataError(f"cannot be read as Parquet: {str(error).splitlines()[0]}", at=str(path)) from None
        columns = columns or own
        if own != columns:
            raise DataError("its columns differ from those of the other files", at=str(path))
        files.append(Shard(f"data/{path.name}", split, rows, path.stat().st_size, arrow, digest.of_file(path)))
    made = Shards(tuple(files), columns)
    held = {split: sum(shard.rows for shard in shards) for split, shards in made.by_split().items()}
    for split in sorted({*held, *run.dataset.splits}):
        has, said = held.get(split, 0), run.dataset.splits.get(split, 0)
        if has != said:
            raise BooksError(
                f"the files hold {has:,} rows of {split!r}, the run {said:,}",
                at=str(folder),
                hint="this is a fault in Seedbed; please report it with the recipe",
            )
    return made
