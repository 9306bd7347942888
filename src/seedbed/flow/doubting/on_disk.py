"""The suspects of a run that is over: as it wrote them, or found now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from seedbed.core.check import SPLIT
from seedbed.core.context import Context, Progress
from seedbed.core.documents import read_document
from seedbed.core.doubts import FILES
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.rows import NUMBER, PARENTS, ROW
from seedbed.core.run import Run
from seedbed.core.similarity import Kind
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.core.values import said
from seedbed.flow.finished import Finished, open_run
from seedbed.flow.naming import store_near
from seedbed.flow.splitting.dataset import Dataset
from seedbed.flow.splitting.split import Similarity, near_pairs
from seedbed.flow.working import working
from seedbed.splits.clusters import cluster
from seedbed.store.store import Store

from .doubt import FOLDS, doubted, learner_for
from .labelled import Labelled, columns_of, read

_SHARD = 200_000


def suspects_of(
    run: str | Path, *, test: bool = False, workers: int | None = None, progress: Progress | None = None
) -> pl.DataFrame:
    """Rows of a run whose labels are doubted (`seedbed.core.doubts.SUSPECTS`), the most suspect first.

    A run whose recipe has the check `label_errors` wrote them down. For others a cheap learner is trained now, five
    times on four fifths of the training and validation rows and once on all of them; that is kept in the store. The
    run's folder is not touched.

    Args:
        run: Its folder, the start of its id, a tag, or NAME@latest.
        test: The suspects among test rows, which are looked at apart, and never used to choose anything.
        workers: Worker processes; the number of cores, at most 8, when left out.
        progress: Where progress is shown.

    Raises:
        DataError: It is no run, it has no dataset, or the rows cannot be learned from.
    """
    finished = open_run(run)
    written = finished.folder / FILES[test]
    if written.is_file():
        return pl.read_parquet(written)
    store = _store(finished.folder)
    with working(finished.folder, store, finished.run.seed, workers=workers, progress=progress) as context:
        rows = labelled_of(finished, context)
        _, folder = doubted(rows, learner_for(rows), context, FOLDS)
        return pl.read_parquet(folder / written.name)


def labelled_of(finished: Finished, context: Context) -> Labelled:
    """The rows of a run on disk; what belongs together is found again: near copies, and groups of the split.

    Raises:
        DataError: The run has no dataset, or its files are gone.
    """
    record, dataset = finished.run, Dataset(finished.folder / "dataset")
    splits = tuple(record.dataset.splits)
    if not splits or record.certificate is None or not all(map(dataset.files, splits)):
        raise DataError(
            "the run has no dataset whose labels could be doubted",
            at=str(finished.folder),
            hint="it was stopped before its rows were split; `seedbed show` says by what",
        )
    task = finished.task
    if task is None or task.says not in ("label", "labels", "number"):
        raise DataError("the record of the run does not say what its labels are", at=str(finished.folder))
    group = _group_of(record)
    known = [name for name in dataset.scan_all(splits).collect_schema().names() if name not in (ROW, SPLIT, PARENTS)]
    similarity = _similarity_of(record, task, known)
    columns = columns_of(task, similarity, known)
    frame = read(dataset, splits, [*columns, *group])
    frame = frame.join(_made(finished.folder), on=ROW, how="anti", maintain_order="left")
    characters = 0 if similarity.kind == "rows" else int(said(frame[similarity.column]).str.len_chars().sum())
    similarity = replace(similarity, characters=characters)
    numbers = np.arange(frame.height, dtype=np.uint64)
    with Store.of(context).workspace("doubts") as work:
        shards = tuple(_shards(frame.select(pl.Series(NUMBER, numbers), *similarity.columns), work))
        near = near_pairs(Table(shards), similarity, context, record.dataset.digest)
    clusters = cluster(numbers, pairs=(near.left, near.right), groups=[frame[name] for name in group]).ids
    every = np.ones(frame.height, dtype=np.bool_)
    return Labelled.of(frame.select(list(dict.fromkeys([ROW, SPLIT, *columns]))), clusters, every, task, similarity)


def _similarity_of(record: Run, task: Task, known: list[str]) -> Similarity:
    """What was similar for the split of a run."""
    assert record.certificate is not None
    kind, threshold = cast(Kind, record.certificate.shingles), record.certificate.threshold or 1.0
    if kind == "rows":
        return Similarity(task.compared(known), kind, threshold, 0)
    compared = str(record.dataset.near_duplicates.get("column") or task.shown)
    return Similarity((compared,), kind, threshold, 0)


def _store(folder: Path) -> Path:
    """The store that the run is near; where it is near none, that of the current folder: not one inside the run."""
    near = store_near(folder)
    return near if near.is_dir() else store_near()


def _group_of(record: Run) -> list[str]:
    """The column whose equal values the recipe's split keeps together, if it names one."""
    try:
        data = read_document(record.recipe_text, at="recipe.yaml").data
    except RecipeError:
        return []
    split = data.get("split") if isinstance(data, dict) else None
    group = split.get("group") if isinstance(split, dict) else None
    return [group] if isinstance(group, str) else []


def _made(folder: Path) -> pl.DataFrame:
    """Rows that were made from others for training: their labels are those of their parents."""
    ledger = sorted((folder / "ledger").glob("*.parquet"))
    if not ledger:
        return pl.DataFrame(schema={ROW: pl.String})
    return pl.scan_parquet(ledger, glob=False).filter(pl.col("action") == "made").select(ROW).unique().collect()


def _shards(rows: pl.DataFrame, folder: Path) -> Iterator[Path]:
    for place, start in enumerate(range(0, rows.height, _SHARD)):
        path = folder / f"{place:05}.parquet"
        rows.slice(start, _SHARD).write_parquet(path)
        yield path
