"""Opens what is compared: a run, or a dataset's folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.difference import Side
from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.core.run import Run
from seedbed.flow.finished import open_run
from seedbed.flow.naming import find_run

#: `train-00000-of-00001.parquet` is a file of the split `train`, and so is `train.parquet`.
_SPLIT = re.compile(r"(?P<split>.+?)(-\d+(-of-\d+)?)?\.parquet")


@dataclass(frozen=True)
class Opened:
    """One of the two that are compared."""

    named: str
    folder: Path
    run: Run | None
    files: dict[str, tuple[Path, ...]]
    """Parquet files by split, in order."""

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Columns and their types; the row's id is none of them."""
        found: dict[str, pl.DataType] = {}
        for files in self.files.values():
            found |= pl.read_parquet_schema(files[0])
        return {name: kind for name, kind in found.items() if name != ROW}

    @cached_property
    def has_ids(self) -> bool:
        """Whether each row says where it came from."""
        return all(ROW in pl.read_parquet_schema(files[0]) for files in self.files.values())

    @cached_property
    def splits(self) -> dict[str, int]:
        """Rows by split."""
        return {name: sum(pq.read_metadata(file).num_rows for file in files) for name, files in self.files.items()}

    @cached_property
    def inputs(self) -> dict[tuple[str, str], str]:
        """SHA-256 of each file that was read, by source and name; empty where that is not known."""
        try:
            told = json.loads((self.folder / "recipe.lock").read_text("utf-8"))["inputs"]
            return {(one["source"], one["file"]): one["sha256"] for one in told}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    @property
    def text(self) -> str | None:
        """The column with the task's text."""
        return self.run.task.get("text") if self.run else None

    @property
    def label(self) -> str | None:
        """The column with the label."""
        return self.run.task.get("label") if self.run else None

    @property
    def side(self) -> Side:
        """What the record says of it."""
        run = self.run
        return Side(
            named=self.named,
            folder=str(self.folder),
            id=run.id if run else None,
            name=run.name if run else None,
            state=run.state if run else None,
            started=run.started if run else None,
            digest=run.dataset.digest if run else None,
            splits=self.splits,
        )


def open_side(named: str | Path) -> Opened:
    """Open a run, or a folder with the Parquet files of a dataset.

    Args:
        named: A run, however it is named, or a folder that holds Parquet files, itself or in `data`.

    Raises:
        DataError: There is nothing that can be compared, or it is damaged.
    """
    folder = find_run(named)
    if folder.name == "run.json":
        folder = folder.parent
    if (folder / "run.json").is_file() or not folder.is_dir():
        finished = open_run(folder)
        data, run, folder = finished.folder / "dataset" / "data", finished.run, finished.folder
        if not run.dataset.splits:
            raise DataError("this run made no dataset: it was stopped before", at=str(named), hint="compare another")
    else:
        data, run = (folder / "data" if (folder / "data").is_dir() else folder), None
    files: dict[str, list[Path]] = {}
    for path in sorted(data.glob("*.parquet")):
        found = _SPLIT.fullmatch(path.name)
        files.setdefault(found["split"] if found else path.stem, []).append(path)
    if not files:
        hint = "name a run, or a folder with Parquet files such as train-00000-of-00001.parquet"
        raise DataError("there is no dataset in this folder", at=str(named), hint=hint)
    order = [*run.dataset.splits] if run else ["train", "validation", "test"]
    splits = sorted(files, key=lambda name: (order.index(name) if name in order else len(order), name))
    opened = Opened(str(named), folder, run, {name: tuple(files[name]) for name in splits})
    try:
        _ = opened.schema, opened.splits
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        said = str(error).splitlines()[0][:200]
        raise DataError(f"a Parquet file cannot be read: {said}", at=str(data)) from None
    return opened
