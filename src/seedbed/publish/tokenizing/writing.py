"""Rows of tokens as Arrow and Parquet: padded or not, in shards, a few batches at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seedbed.core.tokenizing.tokens import Places

from .windows import ranges

Pad = Literal["none", "right", "left"]
T = TypeVar("T")
#: Bytes of rows that are encoded at once, and how many such batches are on their way.
BYTES_AT_ONCE = 1 << 20
_AHEAD = 2


@dataclass(frozen=True)
class Made:
    """Rows that are ready to be written."""

    bounds: Places
    """Shape (rows + 1,): where each row's tokens are in those columns."""
    tokens: Mapping[str, NDArray[Any]]
    """Columns with a value for each token."""
    rows: Mapping[str, pa.Array]
    """Columns with a value for each row."""
    lists: Mapping[str, tuple[Places, NDArray[Any]]] = field(default_factory=dict)
    """Columns of lists with bounds of their own."""

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.bounds) - 1


@dataclass(frozen=True)
class Padding:
    """How rows are filled up."""

    side: Pad
    width: int
    fill: Mapping[str, int]
    """What columns are filled with; 0 where nothing is said."""
    lists: Mapping[str, int] = field(default_factory=dict)
    """Widths of columns of lists."""


def as_table(made: Made, padding: Padding) -> pa.Table:
    """Rows as a table."""
    columns: dict[str, pa.Array] = dict(made.rows)
    for name, values in made.tokens.items():
        columns[name] = _listed(made.bounds, values, padding.width, padding.side, padding.fill.get(name, 0))
    for name, (bounds, values) in made.lists.items():
        width = padding.lists.get(name, padding.width)
        columns[name] = _listed(bounds, values, width, padding.side, padding.fill.get(name, 0))
    return pa.table(columns)


def _listed(bounds: Places, values: NDArray[Any], width: int, side: Pad, fill: int) -> pa.Array:
    if side != "none":
        lengths, rows = np.diff(bounds), len(bounds) - 1
        whole = np.full((rows * width, *values.shape[1:]), fill, values.dtype)
        starts = np.arange(rows) * width + (width - lengths if side == "left" else 0)
        whole[ranges(starts, lengths)] = values
        bounds, values = np.arange(rows + 1) * width, whole
    inner = pa.array(values.ravel())
    if values.ndim == 2:
        inner = pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1) * values.shape[1], pa.int32()), inner)
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), inner)


def bounded(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Batches that are small however long their texts are."""
    for batch in batches:
        size = max(1, int(batch.estimated_size()))
        step = max(1, batch.height * BYTES_AT_ONCE // size)
        for start in range(0, batch.height, step):
            yield batch.slice(start, step)


def in_order(work: Callable[[pl.DataFrame], T], batches: Iterable[pl.DataFrame]) -> Iterator[T]:
    """What comes of each batch, in order; the next ones are worked on meanwhile.

    Threads are enough: tokenizers work outside Python, each on all cores.
    """
    with ThreadPoolExecutor(_AHEAD) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


class Shards:
    """The files of a split, named as `datasets` finds them.

    Args:
        folder: For them.
        name: Of the split.
        most: Rows of a file.
    """

    def __init__(self, folder: Path, name: str, most: int) -> None:
        self._folder, self._name, self._most = folder, name, most
        self._files: list[Path] = []
        self._writer: Any = None
        self._in_file = 0
        self.rows = 0
        self.schema: pa.Schema | None = None

    def write(self, table: pa.Table) -> None:
        """Write rows."""
        self.schema = self.schema or table.schema
        start = 0
        while start < table.num_rows or self._writer is None:
            if self._writer is None or self._in_file >= self._most:
                self._open()
            some = table.slice(start, self._most - self._in_file)
            self._writer.write_table(some)
            start += some.num_rows
            self._in_file += some.num_rows
            self.rows += some.num_rows

    def _open(self) -> None:
        self.close()
        path = self._folder / f"{self._name}-{len(self._files):05}.parquet"
        self._files.append(path)
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd")
        self._in_file = 0

    def close(self) -> None:
        """Close the file that is being written."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def finish(self) -> list[str]:
        """Give the files their names; they are returned."""
        self.close()
        named = []
        for place, path in enumerate(self._files):
            named.append(f"{self._name}-{place:05}-of-{len(self._files):05}.parquet")
            path.rename(self._folder / named[-1])
        return named
