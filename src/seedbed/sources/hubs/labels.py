"""Labels that a dataset keeps as numbers: the names that its files give them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.showing import clean

#: Names that are told, and characters of one.
_MOST, _LONGEST = 20, 40


def label_notes(files: Iterator[Path]) -> list[str]:
    """A sentence for each column of class labels, with the step that names them.

    Args:
        files: Parquet or Arrow files; the first says how the columns of all of them are meant.
    """
    first = next(files, None)
    return [] if first is None else list(_told(_features(first)))


def _told(features: Any) -> Iterator[str]:
    for column, feature in (features if isinstance(features, dict) else {}).items():
        names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
            shown = [f'"{place}": {clean(name)[:_LONGEST]}' for place, name in enumerate(names[:_MOST])]
            more = ", …" if len(names) > _MOST else ""
            yield (
                f"{clean(column)[:_LONGEST]} holds labels as numbers; to name them: "
                f"{{use: map_values, column: {clean(column)[:_LONGEST]}, values: {{{', '.join(shown)}{more}}}}}"
            )


def _features(path: Path) -> Any:
    """What the library that wrote a file says of its columns; none where it says nothing that can be read."""
    try:
        if path.suffix == ".parquet":
            told = pq.read_schema(path).metadata
        else:
            with pa.memory_map(str(path)) as file:
                told = pa.ipc.open_stream(file).schema.metadata
        return orjson.loads((told or {})[b"huggingface"])["info"]["features"]
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException):
        return None
