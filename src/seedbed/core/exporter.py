"""Exporters bring a run's dataset and models to where they are used; file formats write, and read, any rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow.parquet as pq
from pydantic import Field

from .context import Context
from .errors import DataError
from .part import Part
from .task import Task

#: Rows of a batch on its way into a file.
BATCH = 8_192


class Exporter(Part):
    """Brings a finished run somewhere, in some form."""

    family: ClassVar[str] = "exporters"

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it exports to, for people. The run's record says so before it is exported."""

    @property
    def leaves(self) -> bool:
        """Whether rows leave this machine: only published runs do."""
        return False

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """What cannot be exported of a task, before there is a run: the option, the problem, the way out."""
        return iter(())

    @abstractmethod
    def export(self, run: Path, context: Context) -> None:
        """Export the run that stands in a folder.

        Nothing half-written is left behind when it fails.
        """


@dataclass(frozen=True)
class Rows:
    """Rows on their way into a file or out of one. They may be asked for again, and are never all in memory."""

    schema: pl.Schema
    batches: Callable[[], Iterator[pl.DataFrame]]
    """The rows in order, with the columns of `schema`."""
    labels: tuple[str, ...] = ()
    """The task's labels in order, where the rows come from a run."""
    task: Mapping[str, str] = field(default_factory=dict)
    """Columns by what they are to the task."""
    parts: tuple[str, ...] = ()
    """The splits in order, where one file holds several."""

    @classmethod
    def of_parquet(cls, files: Sequence[Path]) -> Rows:
        """The rows of Parquet files, one after the other, in batches of at most `BATCH`."""

        def batches() -> Iterator[pl.DataFrame]:
            for file in files:
                with pq.ParquetFile(file) as held:
                    for batch in held.iter_batches(BATCH):
                        rows = pl.DataFrame(pl.from_arrow(batch))
                        # Series, not expressions: to those a column called `*` would mean all of them.
                        yield pl.DataFrame([rows[name].cast(kind) for name, kind in schema.items()])

        schema = pl.Schema(pl.read_parquet_schema(files[0]) if files else {})
        return cls(schema, batches)

    def select(self, names: Sequence[str]) -> Rows:
        """Only these columns, in this order."""
        if list(names) == self.schema.names():
            return self
        given = self.batches

        def batches() -> Iterator[pl.DataFrame]:
            return (pl.DataFrame([batch[name] for name in names]) for batch in given())

        return replace(self, schema=pl.Schema({name: self.schema[name] for name in names}), batches=batches)


class FileFormat(Exporter):
    """Writes rows as files of one format, and reads them back."""

    ending: ClassVar[str] = ""
    """Of a file's name; empty where rows become a folder."""

    path: str = Field(min_length=1, description="Folder to write; relative to the recipe's folder.")
    splits: list[str] | None = Field(None, min_length=1, description="Splits to write; all when left out.")

    @property
    def place(self) -> str:
        """The folder, as the recipe names it."""
        return self.path

    @classmethod
    def knows(cls, path: Path) -> bool:
        """Whether `read` reads a path: it was written by this format, and says so."""
        return False

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were written.

        Raises:
            DataError: The format cannot be read back, or the file is damaged.
        """
        raise DataError(f"{cls.model_fields['use'].default} files are not read", at=str(path))
