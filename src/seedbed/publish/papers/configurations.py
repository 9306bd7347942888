"""The card's configurations: the splits, and one for each fold where training rows were dealt to folds.

A fold is a file; configurations say which of them are read as what, so that no row is stored twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from seedbed.core.run import Run

from .shards import Shard, Shards

#: The files of each split of a configuration.
_Parts = Mapping[str, Sequence[Shard]]


def configurations(run: Run, shards: Shards | None) -> list[dict[str, Any]]:
    """Names of configurations, and the files of their splits."""
    splits = list(shards.by_split()) if shards else list(run.dataset.splits)
    data_files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in splits]
    found: list[dict[str, Any]] = [{"config_name": "default", "data_files": data_files}]
    for name, parts in _of_folds(run, shards):
        files = [{"split": split, "path": [shard.path for shard in some]} for split, some in parts.items()]
        found.append({"config_name": name, "data_files": files})
    return found


def infos(run: Run, shards: Shards | None, info: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
    """`dataset_info` of all configurations, given that of the splits."""
    found = []
    for name, parts in _of_folds(run, shards):
        sizes = [
            {"name": split, "num_bytes": sum(s.arrow_bytes for s in some), "num_examples": sum(s.rows for s in some)}
            for split, some in parts.items()
        ]
        files = [shard for some in parts.values() for shard in some]
        totals = {
            "download_size": sum(shard.stored_bytes for shard in files),
            "dataset_size": sum(shard.arrow_bytes for shard in files),
        }
        found.append({"config_name": name, **info, "splits": sizes, **totals})
    return [{"config_name": "default", **info}, *found] if found else info


def _of_folds(run: Run, shards: Shards | None) -> Iterator[tuple[str, _Parts]]:
    """The configurations of folds: `fold_2`, and where they are nested `outer_2` and `outer_2_inner_0`."""
    folds = run.certificate.folds if run.certificate else None
    if not folds or shards is None:
        return
    files = shards.by_split()["train"]
    test = shards.by_split().get("test", [])
    count = len(folds["rows"])
    for fold in range(count):
        yield f"fold_{fold}", _parts(files, {"validation": fold}) | ({"test": test} if test else {})
    if folds["nested"]:
        for outer in range(count):
            yield f"outer_{outer}", _parts(files, {"test": outer})
        for outer, inner in permutations(range(count), 2):
            yield f"outer_{outer}_inner_{inner}", _parts(files, {"validation": inner, "test": outer})


def _parts(files: Sequence[Shard], held_out: Mapping[str, int]) -> dict[str, Sequence[Shard]]:
    """Some files are held out, all others train."""
    train = [file for place, file in enumerate(files) if place not in held_out.values()]
    return {"train": train, **{split: [files[place]] for split, place in held_out.items()}}
