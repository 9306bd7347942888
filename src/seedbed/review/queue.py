"""A queue: rows that wait for a person, in a file of their own, read a window at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.core.rows import ROW

NEAR = pl.Struct({ROW: pl.String(), "label": pl.String(), "similarity": pl.Float64(), "text": pl.String()})
#: The row that an item is a copy of, or that contradicts it. `split` is null where it was rejected, too.
OTHER = pl.Struct({ROW: pl.String(), "split": pl.String(), "label": pl.String(), "text": pl.String()})
#: What is known of an item. Of a comparison, `text` is what was asked, `left` and `right` are the answers.
ITEMS: Mapping[str, Any] = {
    ROW: pl.String(),
    "split": pl.String(),
    "text": pl.String(),
    "label": pl.String(),
    "suggested": pl.String(),
    "score": pl.Float64(),
    "kind": pl.String(),
    "part": pl.String(),
    "told": pl.String(),
    "near": pl.List(NEAR),
    "other": OTHER,
    "read": pl.String(),
    "seen": pl.String(),
    "left": pl.String(),
    "right": pl.String(),
    "sides": pl.String(),
}
Kind = Literal["rows", "pairs"]
#: What people say of a row: one of the labels, a set of them, a number, or nothing.
Answers = Literal["label", "labels", "number", "nothing"]
State = Literal["", "open", "decided", "torn"]
#: Views that are kept; who asks for an older one asks anew.
_MOST_VIEWS = 64


@dataclass(frozen=True)
class Filters:
    """Which items of a queue are looked at."""

    label: str = ""
    kind: str = ""
    text: str = ""
    state: State = ""


@dataclass(frozen=True)
class Queue:
    """Items on disk. An Arrow file is mapped, so that a window costs what it holds, however long the queue is."""

    name: str
    title: str
    about: str
    """One sentence on what these rows are and what to do with them."""
    path: Path
    actions: tuple[str, ...] = ("accept", "relabel", "reject", "skip")
    asks: Kind = "rows"
    warning: str = ""

    @cached_property
    def items(self) -> pl.DataFrame:
        """`ITEMS`, in the order in which they should be looked at."""
        with pa.memory_map(str(self.path)) as mapped:
            return cast(pl.DataFrame, pl.from_arrow(pa.ipc.open_file(mapped).read_all(), rechunk=False))

    @property
    def height(self) -> int:
        """Items."""
        return self.items.height

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each row is."""
        return {row: place for place, row in enumerate(self.items[ROW].to_list())}

    @cached_property
    def labels(self) -> list[str]:
        """Labels that the items carry, the most frequent first."""
        return _by_count(self.items["label"])

    @cached_property
    def kinds(self) -> list[str]:
        """Kinds of items, the most frequent first."""
        return _by_count(self.items["kind"])

    @cached_property
    def lowered(self) -> pl.Series:
        """The texts in lower case, for searching."""
        return self.items["text"].str.to_lowercase()

    def window(self, places: Sequence[int] | NDArray[np.int64]) -> list[dict[str, Any]]:
        """Items at some places."""
        return self.items[np.asarray(places, dtype=np.int64)].to_dicts()

    def matching(self, filters: Filters) -> NDArray[np.int64]:
        """Places of the items that fit, whatever was decided on them."""
        fits = pl.Series(np.ones(self.height, dtype=bool))
        if filters.label:
            fits &= (self.items["label"] == filters.label).fill_null(False)
        if filters.kind:
            fits &= (self.items["kind"] == filters.kind).fill_null(False)
        if filters.text:
            fits &= self.lowered.str.contains(filters.text.lower(), literal=True).fill_null(False)
        return np.flatnonzero(fits.to_numpy())


def _by_count(column: pl.Series) -> list[str]:
    counted = column.drop_nulls().value_counts(name="n").sort(["n", column.name], descending=[True, False])
    return [str(one) for one in counted[column.name].to_list()]


@dataclass
class Views:
    """Places of filtered items, by a name that a page can come back with: the order stays while people decide."""

    _kept: OrderedDict[str, tuple[str, NDArray[np.int64]]] = field(default_factory=OrderedDict)
    _next: int = 0

    def keep(self, queue: str, places: NDArray[np.int64]) -> str:
        """Remember a view; its name."""
        self._next += 1
        self._kept[str(self._next)] = (queue, places)
        while len(self._kept) > _MOST_VIEWS:
            self._kept.popitem(last=False)
        return str(self._next)

    def of(self, name: str) -> tuple[str, NDArray[np.int64]] | None:
        """Queue and places of a view, unless it was let go."""
        if name in self._kept:
            self._kept.move_to_end(name)
        return self._kept.get(name)


def write_queue(items: pl.DataFrame, path: Path) -> Path:
    """Write a queue's file: the columns of `ITEMS`, null where they are left out."""
    lacking = [pl.lit(None, kind).alias(name) for name, kind in ITEMS.items() if name not in items.columns]
    items.with_columns(lacking).select([pl.col(name).cast(kind) for name, kind in ITEMS.items()]).write_ipc(
        path, compression="uncompressed", compat_level=pl.CompatLevel.newest()
    )
    return path
