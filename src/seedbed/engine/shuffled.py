"""Brings rows of one key together on a Ray cluster, by Ray Data's hash shuffle: `Groups` of many machines."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.store.store import arriving

from .grouping import LocalGroups, partitions_of

_PART = "_part"
#: Any number; the same on all nodes, which have one version of Polars.
_SEED = 7


@dataclass(frozen=True)
class RayGroups(LocalGroups):
    """`Groups` over keys in Parquet files, partitioned by Ray Data when they are many."""

    @cached_property
    def _partitions(self) -> list[list[Path]]:
        count = partitions_of(self.keys)
        if count <= 1:
            return [list(self.keys)]
        place = self.folder / "shuffled"
        if not place.exists():
            partial = Path(tempfile.mkdtemp(dir=self.folder))
            try:
                partition(self.keys, count, partial)
                with suppress(OSError):  # another run of the same recipe was faster
                    partial.rename(place)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return [[part] for part in sorted(place.glob("*.parquet"))]


def partition(keys: Sequence[Path], count: int, place: Path) -> None:
    """Write keys to a folder as `NUMBER.parquet`, so that rows with equal `key` are in one file.

    A task that is done again, because its worker was lost, writes the same file again.

    Args:
        keys: Files with a column `key`, which every node sees.
        count: Files to write, about; those of no row are left out.
        place: The folder; every node sees it.
    """
    import ray

    settings = ray.data.DataContext.get_current()
    settings.shuffle_strategy = ray.data.context.ShuffleStrategy.HASH_SHUFFLE
    # What holds the shuffle's pieces would else take a part of a core for good, and on nodes of one core nothing could
    # run beside it.
    settings.hash_shuffle_operator_actor_num_cpus_override = 0
    items = ray.data.from_items([{"file": str(path)} for path in keys], override_num_blocks=min(len(keys), 4 * count))
    cores = int(ray.cluster_resources().get("CPU", 1))
    read = items.map_batches(_read, batch_size=1, batch_format="pyarrow", fn_kwargs={"count": count})
    # A shuffle of many partitions is slow to begin with: one holds several of the files, but not more than eight.
    written = read.groupby(_PART, num_partitions=min(count, max(2 * cores, count // 8))).map_groups(
        _write, batch_format="pyarrow", fn_kwargs={"place": str(place)}
    )
    written.materialize()


def _read(batch: Any, count: int) -> Any:
    (file,) = batch["file"].to_pylist()
    keys = pl.read_parquet(file, glob=False)
    return keys.with_columns((pl.col("key").hash(_SEED) % count).cast(pl.UInt32).alias(_PART)).to_arrow()


def _write(group: Any, place: str) -> Any:
    keys = pl.DataFrame(pl.from_arrow(group))
    part = keys[_PART][0]
    with arriving(Path(place) / f"{part:06}.parquet") as partial:
        keys.drop(_PART).write_parquet(partial, compression="lz4")
    return {"part": [part], "keys": [keys.height]}
