"""Writes the dataset: one set of Parquet files a split, its digest, and what its columns look like in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.check import SPLIT
from seedbed.core.context import Context, Stage
from seedbed.core.digest import RowsDigest, of_splits
from seedbed.core.rows import NUMBER, data_columns
from seedbed.core.run import ColumnRecord, DatasetRecord, LengthsRecord
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.engine.jobs import LENGTH_EDGES, length_counts

from .answers import labels_together, numbers_of
from .split import Split

#: A split is cut into files of at most so many rows.
ROWS_PER_FILE = 1_000_000
_BATCH = 65_536
_EXACT_UNIQUE_UP_TO = 100_000
#: What rows without a label are counted under, before any step.
MISSING = "(missing)"


@dataclass
class SplitWriter:
    """Writes one split's rows in order, a file after the other; `finish` gives the files their names."""

    folder: Path
    name: str
    files: list[Path] = field(default_factory=list)
    rows: int = 0
    digest: RowsDigest = field(default_factory=RowsDigest)
    most: int = ROWS_PER_FILE
    _writer: Any = None
    _in_file: int = 0

    def write(self, rows: pl.DataFrame) -> None:
        """Write some rows, `NUMBER` left out."""
        self.digest.update(rows)
        self.rows += rows.height
        for start in range(0, rows.height, self.most):
            self._write(rows.slice(start, self.most).drop(NUMBER).to_arrow(compat_level=pl.CompatLevel.oldest()))

    def _write(self, rows: pa.Table) -> None:
        if self._writer is not None and self._in_file + rows.num_rows > self.most:
            self.close()
        if self._writer is None:
            path = self.folder / f"{self.name}-{len(self.files):05}.parquet"
            self.files.append(path)
            self._writer = pq.ParquetWriter(path, rows.schema, compression="zstd")
        self._writer.write_table(rows)
        self._in_file += rows.num_rows

    def close(self) -> None:
        """Close the file that is being written."""
        if self._writer is not None:
            self._writer.close()
        self._writer, self._in_file = None, 0

    def finish(self) -> None:
        """Close the last file."""
        self.close()
        for place, path in enumerate(self.files):
            path.rename(self.folder / f"{self.name}-{place:05}-of-{len(self.files):05}.parquet")


class FoldsWriter(SplitWriter):
    """Writes the training rows fold by fold: each is one file, however many rows it has."""

    def __init__(self, folder: Path, name: str, folds: int) -> None:
        super().__init__(folder, name)
        self._folds = [SplitWriter(folder, f"{name}-fold{fold:05}", most=2**62) for fold in range(folds)]

    def deal(self, rows: pl.DataFrame, folds: pl.Series) -> None:
        """Write some rows, each to its fold."""
        self.rows += rows.height
        for fold, writer in enumerate(self._folds):
            writer.write(rows.filter(folds == fold))

    def finish(self) -> None:
        """Close the files, and take the digest of their rows as they stand there."""
        for writer in self._folds:
            writer.close()
            self.files += writer.files
        super().finish()
        files = sorted(self.folder.glob(f"{self.name}-*-of-*.parquet"))
        for file in files:
            for batch in pq.ParquetFile(file).iter_batches(_BATCH):
                self.digest.update(pl.DataFrame(batch))


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder."""

    folder: Path

    def scan(self, split: str) -> pl.LazyFrame:
        """The rows of a split, lazily, in order."""
        return pl.scan_parquet(self.files(split), glob=False)

    def files(self, split: str) -> list[Path]:
        """The files of a split, in order."""
        return sorted((self.folder / "data").glob(f"{split}-*.parquet"))

    def scan_all(self, splits: Sequence[str]) -> pl.LazyFrame:
        """The rows of all splits, lazily, with `SPLIT`, the name of each row's."""
        return pl.concat([self.scan(split).with_columns(pl.lit(split).alias(SPLIT)) for split in splits])

    def read(self, split: str, columns: list[str]) -> pl.DataFrame:
        """Some columns of a split."""
        return self.scan(split).select(columns).collect()


def write_dataset(
    table: Table, split: Split, task: Task, facts: dict[str, Any], folder: Path, context: Context
) -> DatasetRecord:
    """Write `data/SPLIT-NNNNN-of-NNNNN.parquet` into a folder, in row order, and measure what was written."""
    with context.stage("Writing the dataset", table.height, "rows") as stage:
        written = _write_splits(table, split, task, folder / "data", stage)
        return _measured(table, split, task, facts, Dataset(folder), written)


def _write_splits(table: Table, split: Split, task: Task, data: Path, stage: Stage) -> _Written:
    data.mkdir(parents=True)
    writers: dict[str, SplitWriter] = {name: SplitWriter(data, name) for name in split.names}
    folds = None
    if split.folds is not None:
        folds = writers["train"] = FoldsWriter(data, "train", int(split.folds.max()) + 1)
    lengths, made = [0] * len(LENGTH_EDGES), _Made()
    for batch in table.batches():
        places = split.of(batch)
        if task.shown:
            lengths = [a + b for a, b in zip(lengths, length_counts(batch[task.shown]), strict=True)]
        if split.only_train is not None:
            made.add(batch.filter(split.only_trains(batch[NUMBER])), task)
        for place, name in enumerate(split.names):
            rows = batch.filter(places == place)
            if folds is not None and name == "train":
                folds.deal(rows, split.folds_of(rows))
            else:
                writers[name].write(rows)
        stage.advance(batch.height)
    for writer in writers.values():
        writer.finish()
    return _Written(writers, lengths, made)


def _measured(
    table: Table, split: Split, task: Task, facts: dict[str, Any], dataset: Dataset, written: _Written
) -> DatasetRecord:
    """What the dataset looks like in numbers, and before any step."""
    writers, made = written.writers, written.made
    before = facts.get("lengths") or [0] * len(LENGTH_EDGES)
    if task.says == "turns":  # read as JSON, kept as what the turns say: one is no length of the other
        before = [0] * len(LENGTH_EDGES)
    labels = sorted(facts.get("labels", {}).items(), key=lambda item: (-item[1], item[0]))
    return DatasetRecord(
        digest=of_splits((name, writer.digest.hexdigest()) for name, writer in writers.items()),
        splits={name: writer.rows for name, writer in writers.items()},
        columns=tuple(_columns(table)),
        labels={name: _label_counts(dataset, name, task) for name in split.names},
        labels_before={label or MISSING: n for label, n in labels[:50]},
        other_labels_before=sum(n for _, n in labels[50:]) + (facts.get("other_labels") or 0),
        labels_together=labels_together(dataset.scan_all(split.names), task),
        numbers=numbers_of({name: dataset.scan(name) for name in split.names}, task),
        labels_made={label: made.labels[label] for label in sorted(made.labels)},
        lengths=LengthsRecord(
            column=task.shown or "",
            edges=LENGTH_EDGES,
            before=tuple(before),
            after=tuple(written.lengths),
            made=tuple(made.lengths),
        ),
        near_duplicates={
            "rows": split.similar,
            "threshold": split.similarity.threshold,
            "shingles": split.similarity.kind,
            "column": split.similarity.column or None,
        },
    )


@dataclass
class _Made:
    """What is counted of rows that were made."""

    lengths: list[int] = field(default_factory=list)
    """By the bins of `LENGTH_EDGES`; empty where no row was made."""
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pl.DataFrame, task: Task) -> None:
        if rows.height:
            before = self.lengths or [0] * len(LENGTH_EDGES)
            if task.shown:
                self.lengths = [a + b for a, b in zip(before, length_counts(rows[task.shown]), strict=True)]
            if task.answer and task.says == "label":
                self.labels.update(rows[task.answer].cast(pl.String).drop_nulls().to_list())


@dataclass(frozen=True)
class _Written:
    """What was written, and what was counted of it on the way."""

    writers: dict[str, SplitWriter]
    lengths: list[int]
    """By the bins of `LENGTH_EDGES`."""
    made: _Made


def _label_counts(dataset: Dataset, name: str, task: Task) -> dict[str, int]:
    if task.answer is None or task.says not in ("label", "labels"):
        return {}
    rows = dataset.scan(name).select(label=pl.col(task.answer))
    rows = rows.explode("label") if task.says == "labels" else rows
    counts = dict(
        rows.select(pl.col("label").cast(pl.String)).drop_nulls().group_by("label").len().collect().iter_rows()
    )
    return {label: counts.get(label, 0) for label in task.names or sorted(counts)}


def _columns(table: Table) -> Iterator[ColumnRecord]:
    rows = table.scan()
    names = data_columns(table.schema)
    exact = table.height <= _EXACT_UNIQUE_UP_TO
    countable = [name for name in names if not table.schema[name].is_nested()]
    unique = [
        (pl.col(n).drop_nulls().n_unique() if exact else pl.col(n).drop_nulls().approx_n_unique()).alias(f"u{i}")
        for i, n in enumerate(countable)
    ]
    missing = [pl.col(name).null_count().alias(f"m{i}") for i, name in enumerate(names)]
    found = rows.select(*missing, *unique).collect(engine="streaming").row(0, named=True)
    for place, name in enumerate(names):
        yield ColumnRecord(
            name=name,
            type=str(table.schema[name]),
            missing=found[f"m{place}"],
            unique=found[f"u{countable.index(name)}"] if name in countable else None,
        )
