"""Datasets for PyTorch's `DataLoader` over what the format `torch` wrote."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from torch.utils import data  # noqa: TID253 (nobody imports this module who does not want PyTorch)

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.publish.files.described import description_of


@dataclass(frozen=True)
class _Group:
    """Some rows of a file."""

    file: str
    place: int
    """Among the groups of the file."""
    first: int
    """Number of its first row in the split, from 0."""
    rows: int


class _Split:
    """The groups of a split, and what its rows are made into."""

    def __init__(self, folder: Path, columns: Sequence[str] | None, pairs: bool) -> None:
        found = description_of(folder, "torch")
        if found is None:
            raise DataError("this is no split that the format `torch` wrote", at=str(folder), hint="such as out/train")
        self.labels: tuple[str, ...] = tuple(found.more.get("labels", ()))
        self.columns = list(columns or found.schema.names())
        self.pair = _pair(found.more.get("task", {}), self.labels, str(folder)) if pairs else None
        for name in self.columns:
            if name not in found.schema:
                raise RecipeError(f"there is no column {name[:80]!r}", hint=did_you_mean(name, found.schema))
        self._codes = {label: code for code, label in enumerate(self.labels)}
        self.groups: list[_Group] = []
        first = 0
        for path in sorted(folder.glob("*.parquet")):
            told = pq.read_metadata(path)
            for place in range(told.num_row_groups):
                rows = told.row_group(place).num_rows
                self.groups.append(_Group(str(path), place, first, rows))
                first += rows
        self.rows = first

    def read(self, group: _Group) -> list[Any]:
        """The rows of a group, as they are given out."""
        wanted = list(self.pair) if self.pair else self.columns
        with pq.ParquetFile(group.file) as file:
            rows: list[Any] = file.read_row_group(group.place, columns=wanted).to_pylist()
        if self.pair is None:
            return rows
        text, label = self.pair
        return [(row[text], self._codes[str(row[label])]) for row in rows]


def _pair(task: dict[str, str], labels: Sequence[str], at: str) -> tuple[str, str]:
    if "text" not in task or "label" not in task or not labels:
        raise RecipeError("only a run says which columns are text and label", at=at, hint="leave `pairs` out")
    return task["text"], task["label"]


class MapRows(data.Dataset[Any]):  # type: ignore[misc, unused-ignore]
    """A map-style dataset: any row by its number; `DataLoader` shuffles it and shares it out.

    Args:
        folder: A split that the format `torch` wrote, such as `out/train`.
        columns: Columns of a row; all when left out.
        pairs: Give a row's text and the number of its label, in place of a dictionary.

    Raises:
        DataError: It is no such folder.
        RecipeError: There is no such column, or no label.
    """

    def __init__(self, folder: str | Path, *, columns: Sequence[str] | None = None, pairs: bool = False) -> None:
        self._split = _Split(Path(folder), columns, pairs)
        self.labels = self._split.labels
        self._starts = [group.first for group in self._split.groups]
        self._held: tuple[int, list[Any]] = (-1, [])

    def __len__(self) -> int:
        return self._split.rows

    def __getitem__(self, place: int) -> Any:
        from bisect import bisect_right

        if not 0 <= place < len(self):
            raise IndexError(place)
        at = bisect_right(self._starts, place) - 1
        if self._held[0] != at:  # rows of one group come cheap after the first
            self._held = (at, self._split.read(self._split.groups[at]))
        return self._held[1][place - self._starts[at]]


class StreamRows(data.IterableDataset[Any]):  # type: ignore[misc, unused-ignore]
    """An iterable dataset: every row once, however many workers a `DataLoader` has; it goes on where it was.

    `state_dict` and `load_state_dict` are what `torchdata`'s `StatefulDataLoader` asks each worker for; without workers
    they can be called by hand between rows.

    Args:
        folder: A split that the format `torch` wrote, such as `out/train`.
        columns: Columns of a row; all when left out.
        pairs: Give a row's text and the number of its label, in place of a dictionary.
        seed: Shuffle groups, and the rows in each, anew for each epoch; rows stay in order when left out.
        rank: Which of `ranks` processes of a distributed training this is.
        ranks: How many there are.

    Raises:
        DataError: It is no such folder.
        RecipeError: There is no such column, or no label.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        columns: Sequence[str] | None = None,
        pairs: bool = False,
        seed: int | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self._split = _Split(Path(folder), columns, pairs)
        self.labels = self._split.labels
        self._seed, self._rank, self._ranks = seed, rank, ranks
        self._epoch = self._given = 0

    def __iter__(self) -> Iterator[Any]:
        worker = data.get_worker_info()
        workers = worker.num_workers if worker else 1
        share, shares = self._rank * workers + (worker.id if worker else 0), self._ranks * workers
        order = random.Random(f"{self._seed} {self._epoch}")
        groups = list(self._split.groups)
        if self._seed is not None:
            order.shuffle(groups)
        left = self._given
        for group in groups[share::shares]:
            if left >= group.rows:
                left -= group.rows
                continue
            rows = self._split.read(group)
            if self._seed is not None:
                random.Random(f"{self._seed} {self._epoch} {group.first}").shuffle(rows)
            for row in rows[left:]:
                self._given += 1
                yield row
            left = 0
        self._epoch, self._given = self._epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        """How far it is: the epoch, and the rows that this worker gave of it."""
        return {"epoch": self._epoch, "given": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self._epoch, self._given = state["epoch"], state["given"]
