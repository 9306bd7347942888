"""The splits of a run's dataset, as files of a format: there whole or not at all."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.exporter import FileFormat, Rows
from seedbed.core.part import Columns
from seedbed.core.rows import ROW
from seedbed.core.splitter import SPLITS
from seedbed.store.places import arriving, left_beside, sweep

from .described import Described, below, description_of, refuse_folder, write_description

_FILE = re.compile(r"(\w+)-\d{5}-of-\d{5}\.parquet")


def splits_of(run: Path) -> dict[str, Rows]:
    """The splits of a run's dataset.

    Raises:
        DataError: There is no dataset, or its record is damaged.
    """
    try:
        record = json.loads((run / "run.json").read_bytes())
        task, counted = record["task"], record["dataset"]["labels"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("the run has no run.json", at=str(run), hint="export a run that came to its end") from None
    labels = tuple(task.get("labels") or sorted({label for labels in counted.values() for label in labels}))
    roles = {role: name for role, name in task.items() if role in ("text", "label") and isinstance(name, str)}
    found: dict[str, list[Path]] = {}
    for path in sorted((run / "dataset" / "data").glob("*.parquet")):
        if named := _FILE.fullmatch(path.name):
            found.setdefault(named[1], []).append(path)
    if not found:
        raise DataError("the run has no dataset", at=str(run), hint="export a run that came to its end")
    order = sorted(found, key=lambda name: (SPLITS.index(name) if name in SPLITS else len(SPLITS), name))
    rows = {name: Rows.of_parquet(found[name]) for name in order}
    return {name: replace(one, labels=labels, task=roles) for name, one in rows.items()}


class Splits(FileFormat):
    """A file format whose splits are files, or folders, of a folder; its schema stands beside them."""

    described_in: ClassVar[str] = "schema.json"

    columns: Columns | None = Field(None, description="Columns to write, in this order; all when left out.")
    row_ids: bool = Field(True, description="Whether the column `row` is written, which says where a row comes from.")

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """The columns that the options name; the rows' own ids are always there."""
        yield from ((option, name) for option, name in super().columns_used() if name != ROW)

    def export(self, run: Path, context: Context) -> None:
        """Write the splits of a run's dataset.

        Raises:
            DataError: There is no dataset, a column holds what the format cannot say, or nothing can be written.
            RecipeError: There is no such split or column, or the folder is not one that may be replaced.
        """
        at = f"publish: {self.use}: {self.path}"
        splits = {name: self._at(at, rows) for name, rows in wanted(splits_of(run), self.splits, at).items()}
        with replaced(self.path, run, context, at) as fresh:
            files = self.write_splits(splits, fresh)
            told = self.description(files, holds=below(fresh))
            write_description(fresh / self.described_in, told)

    @abstractmethod
    def write(self, rows: Rows, target: Path) -> None:
        """Write rows as a file, or as a folder, which is not there yet.

        Raises:
            DataError: A column holds what the format cannot say.
        """

    def write_splits(self, splits: Mapping[str, Rows], folder: Path) -> dict[str, Rows]:
        """Write each split; the rows by the file that they are in."""
        files = {f"{name}{self.ending}": rows for name, rows in splits.items()}
        for name, rows in files.items():
            self.write(rows, folder / name)
        return files

    def write_alone(self, rows: Rows, target: Path, context: Context) -> None:
        """Write rows that are no split, with their schema: a file beside it, or a folder that holds it.

        Raises:
            DataError: A column holds what the format cannot say, or nothing can be written.
            RecipeError: The place is not one that may be replaced.
        """
        at = f"--out {target}"
        rows = self.chosen(rows)
        target = (context.base / target).resolve()
        sweep(left_beside(target))
        if self.ending and target.is_dir():
            raise RecipeError(
                "this is a folder", at=at, hint=f"name a file in it, such as {target.name}/out{self.ending}"
            )
        if not self.ending:
            refuse_folder(target, base=context.base, store=context.store, run=None, at=at)
            with failing(at), arriving(target) as fresh:
                self.write(rows, fresh)
                told = self.description({target.name: rows}, holds=below(fresh))
                write_description(fresh / self.described_in, told)
            return
        place, held = target.with_name(f"{target.name}.{self.described_in}"), set[str]()
        with failing(at), ExitStack() as stack:
            fresh = stack.enter_context(arriving(target))
            self.write(_noting(rows, held), fresh)
            if self.loses(rows, held):  # entered last, so in its place first
                write_description(stack.enter_context(arriving(place)), self.description({target.name: rows}))
            elif description_of(target, self.use):
                place.unlink(missing_ok=True)  # of another file, which this one replaces

    def loses(self, rows: Rows, held: Collection[str]) -> bool:
        """Whether a file alone does not say what its columns are.

        Args:
            rows: What is in it.
            held: Columns that hold any value.
        """
        return True

    def description(self, files: Mapping[str, Rows], holds: tuple[str, ...] = ()) -> dict[str, Any]:
        """What stands beside files, as JSON."""
        schema = next(iter(files.values())).schema
        return {"seedbed": Described(self.use, schema, tuple(files), holds, self.more(files)).told()}

    def more(self, files: Mapping[str, Rows]) -> dict[str, Any]:
        """What the format wants to know when it reads them."""
        return {}

    @classmethod
    def knows(cls, path: Path) -> bool:
        """Whether its schema stands beside it, or inside."""
        return description_of(path, cls.model_fields["use"].default) is not None

    def chosen(self, rows: Rows) -> Rows:
        """The columns to write.

        Raises:
            RecipeError: One is not there.
        """
        there = rows.schema.names()
        for name in self.columns or ():
            if name not in there:
                raise RecipeError(f"there is no column {name[:80]!r}", hint=did_you_mean(name, there))
        names = self.columns or there
        if ROW in there:
            names = [*([ROW] if self.row_ids else []), *(name for name in names if name != ROW)]
        if not names:
            raise RecipeError("no column is left to write", hint="name one under `columns`, or leave `row_ids` on")
        return rows.select(names)

    def _at(self, at: str, rows: Rows) -> Rows:
        try:
            return self.chosen(rows)
        except RecipeError as error:
            raise RecipeError(error.problem, at=at, hint=error.hint) from None


def _noting(rows: Rows, held: set[str]) -> Rows:
    """The rows; columns are noted that hold any value."""

    def batches() -> Iterator[pl.DataFrame]:
        for batch in rows.batches():
            held.update(column.name for column in batch if column.null_count() < column.len())
            yield batch

    return replace(rows, batches=batches)


def wanted(splits: Mapping[str, Rows], names: Sequence[str] | None, at: str) -> dict[str, Rows]:
    """The splits to write.

    Raises:
        RecipeError: There is no such split.
    """
    for name in names or ():
        if name not in splits:
            raise RecipeError(f"there is no split {name[:80]!r}", at=at, hint=did_you_mean(name, splits))
    return {name: rows for name, rows in splits.items() if name in (names or splits)}


@contextmanager
def replaced(path: str, run: Path, context: Context, at: str) -> Iterator[Path]:
    """A folder to fill, which takes the place of an earlier export when the body has ended well.

    Raises:
        DataError: It cannot be written.
        RecipeError: What is there may not be replaced.
    """
    target = (context.base / expand(path, at=at)).resolve()
    sweep(left_beside(target))
    refuse_folder(target, base=context.base, store=context.store, run=run, at=at)
    with failing(at), arriving(target) as fresh:
        fresh.mkdir()
        yield fresh


@contextmanager
def failing(at: str) -> Iterator[None]:
    """Tell that a place cannot be written to.

    Raises:
        DataError: It cannot.
    """
    try:
        yield
    except OSError as error:  # shutil.Error, with its list of files, is one too
        why = error.strerror or (error.args[0][0][2] if error.args and isinstance(error.args[0], list) else error)
        raise DataError(f"cannot be written: {why}", at=at, hint="is there room, and may you write there?") from None
