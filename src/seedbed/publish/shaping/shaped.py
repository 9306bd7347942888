"""Formats that say the rows of certain tasks, as the programs that train on them want to read them."""

from __future__ import annotations

import json
import shutil
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, ClassVar, Literal

import orjson
import polars as pl
from pydantic import Field, TypeAdapter, ValidationError

from seedbed.core.context import Context, current
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.exporter import Exporter, FileFormat, Rows
from seedbed.core.numbers import things
from seedbed.core.rows import ROW
from seedbed.core.task import AnyTask, Task
from seedbed.publish.files.described import Described, below, described, write_description
from seedbed.publish.files.plain import records
from seedbed.publish.files.splits import failing, replaced, splits_of, wanted
from seedbed.store.places import arriving, left_beside, sweep

from .alone import task_in, usable

#: Ends the name of the file with rows that a format cannot say.
LEFT_OUT = ".left_out.jsonl"


class Unsayable(Exception):
    """A format cannot say a row.

    Attributes:
        reason: Why, as a word that is counted.
        way_out: What says it, or what to change; empty where that is plain.
    """

    def __init__(self, reason: str, way_out: str = "") -> None:
        self.reason, self.way_out = reason, way_out
        super().__init__(reason)


@dataclass(frozen=True)
class Saying:
    """How rows of one dataset are said."""

    columns: tuple[str, ...]
    """Columns that are read."""
    record: Callable[[dict[str, Any]], dict[str, Any]]
    """From a row to what is written, or raises `Unsayable`."""
    read_as: pl.Schema
    """The columns that reading gives back."""
    prepared: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
    """What is done to a batch before its rows are said."""
    told: Callable[[], dict[str, Any]] = dict
    """What else there is to know of what was written, as JSON, when it is."""


class Shaped(FileFormat):
    """A file format for the rows of some tasks: what trainers ask for, and no other column."""

    ending: ClassVar[str] = ".jsonl"
    says: ClassVar[tuple[str, ...]] = ()
    """Kinds of tasks."""

    unsayable: Literal["set_aside", "refuse"] = Field(
        "set_aside",
        description="What becomes of rows that the format cannot say: `set_aside` writes them to "
        "`SPLIT.left_out.jsonl` with the reason, and counts them; `refuse` exports nothing.",
    )

    task: AnyTask | None = Field(
        None, description="What the rows of a file are to a model, where one is exported; a run knows its own task."
    )

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Tasks that the format has no words for."""
        if self.task is not None and self.task != task:
            yield "task", "a run has its own task", "leave it out: it is for files"
        if task.kind not in self.says:
            others = [use for use, part in Exporter.catalogue.items() if issubclass(part, Shaped)]
            can = [use for use in others if task.kind in Exporter.catalogue[use].says]  # type: ignore[attr-defined]
            yield "use", f"{self.use!r} cannot say {task.kind}", f"these can: {', '.join([*can, 'jsonl'])}"

    def saying(self, task: Task, schema: pl.Schema) -> Saying:
        """How the rows of a dataset are said.

        Raises:
            RecipeError: An option names a column that is not there.
        """
        for option, name in self.columns_used():
            if name not in schema:
                hint = did_you_mean(name, schema.names())
                raise RecipeError(f"`{option}` names the column {name[:80]!r}, which is not there", hint=hint)
        return self.say(task, schema)

    @abstractmethod
    def say(self, task: Task, schema: pl.Schema) -> Saying:
        """How rows of one of the tasks that the format says are said; the columns that options name are there."""

    def write_records(self, found: Iterable[dict[str, Any]], target: Path) -> None:
        """Write what was said: JSON lines, where the format does not say otherwise."""
        with target.open("wb") as file:
            file.writelines(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in found)

    def export(self, run: Path, context: Context) -> None:
        """Write the splits of a run's dataset.

        Raises:
            DataError: There is no dataset, or nothing can be written; no row can be said, or one cannot and is not to
                be set aside.
            RecipeError: The format cannot say the task, there is no such split or column, or the folder is not one
                that may be replaced.
        """
        at = f"publish: {self.use}: {self.path}"
        splits, task = wanted(splits_of(run), self.splits, at), task_of(run)
        for _, problem, hint in self.faults(task):
            raise RecipeError(problem, at=at, hint=hint)
        try:
            with current(context):
                saying = self.saying(task, next(iter(splits.values())).schema)
        except RecipeError as error:
            raise RecipeError(error.problem, at=at, hint=error.hint) from None
        with replaced(self.path, run, context, at) as fresh:
            left = {name: self.write_split(rows, saying, fresh, name) for name, rows in splits.items()}
            if all(one.nothing_said for one in left.values()):
                raise _none_said(self.use, left, at)
            files = tuple(f"{name}{self.ending}" for name in splits)
            more = {"left_out": {name: dict(one.reasons) for name, one in left.items() if one.reasons}}
            told = Described(self.use, saying.read_as, files, below(fresh), more | saying.told()).told()
            write_description(fresh / "schema.json", {"seedbed": told})
        if any(one.reasons for one in left.values()):
            aside = f"{self.use}: rows that it cannot say are in {self.path}/*{LEFT_OUT}: {_told(left)}"
            context.progress.say("; ".join([aside, *_ways_out(left)]))

    def write_split(self, rows: Rows, saying: Saying, folder: Path, name: str) -> LeftOut:
        """Write a split, and beside it the rows that cannot be said.

        Raises:
            DataError: A row cannot be said and is not to be set aside.
        """
        with LeftOut(folder / f"{name}{LEFT_OUT}", self.use, refuse=self.unsayable == "refuse") as left:
            self.write_records(_said(rows, saying, left), folder / f"{name}{self.ending}")
        return left

    def write_alone(self, rows: Rows, target: Path, context: Context) -> None:
        """Write rows of a file, with a schema beside them, and what cannot be used or said beside that.

        Raises:
            DataError: No row can be said, or one cannot and is not to be set aside, or nothing can be written.
            RecipeError: The task is not known, the format cannot say it, or the place may not be replaced.
        """
        at, task = f"--out {target}", self.task or task_in(rows.schema)
        for option, problem, hint in self.faults(task):
            raise RecipeError(problem, at="--to" if option == "use" else f"--set {option}", hint=hint)
        target = (context.base / target).resolve()
        if target.is_dir():
            raise RecipeError(
                "this is a folder", at=at, hint=f"name a file in it, such as {target.name}/out{self.ending}"
            )
        sweep(left_beside(target))
        aside, place = target.with_name(f"{target.name}{LEFT_OUT}"), target.with_name(f"{target.name}.schema.json")
        with failing(at), TemporaryDirectory(prefix="seedbed-") as folder, ExitStack() as stack:
            left = LeftOut(Path(folder) / "left", self.use, refuse=self.unsayable == "refuse")
            with left, current(context):
                given = usable(rows, task, left.add)
                saying = self.saying(task, given.schema)
                fresh = stack.enter_context(arriving(target))
                self.write_records(_said(given, saying, left), fresh)
            if left.nothing_said:
                raise _none_said(self.use, {"": left}, at)
            more = {"left_out": {"": dict(left.reasons)} if left.reasons else {}} | saying.told()
            told = Described(self.use, saying.read_as, (target.name,), (), more).told()
            write_description(stack.enter_context(arriving(place)), {"seedbed": told})
            aside.unlink(missing_ok=True)  # of an earlier export to the same place
            if left.reasons:
                shutil.move(left.path, stack.enter_context(arriving(aside)))
        if left.reasons:
            whole = {"": left}
            said = f"{self.use}: rows that it cannot say are in {aside.name}: {_told(whole)}"
            context.progress.say("; ".join([said, *_ways_out(whole)]))

    @classmethod
    def knows(cls, path: Path) -> bool:
        """Whether its schema stands beside it."""
        try:
            described(path, cls.model_fields["use"].default)
        except DataError:
            return False
        return True


@dataclass
class LeftOut(AbstractContextManager["LeftOut"]):
    """Rows that a format cannot say, in a file that is made when the first one comes."""

    path: Path
    use: str
    refuse: bool
    said: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    ways_out: dict[str, None] = field(default_factory=dict)
    _file: BinaryIO | None = None

    @property
    def nothing_said(self) -> bool:
        """Whether there are rows, and none could be said."""
        return not self.said and bool(self.reasons)

    def add(self, row: pl.DataFrame, reason: str, way_out: str = "") -> None:
        """Set a row aside.

        Raises:
            DataError: None is to be.
        """
        if self.refuse:
            where = f"row {str(row[ROW][0])[:80]!r}" if ROW in row.columns else "a row"
            beside = "leave `unsayable` out to have such rows written beside, with the reason"
            hint = f"{way_out}; or {beside}" if way_out else beside
            raise DataError(f"{self.use} cannot say {where}: {reason}", hint=hint)
        if self._file is None:
            self._file = self.path.open("wb")
        self.reasons[reason] += 1
        if way_out:
            self.ways_out[way_out] = None
        for one in records(row):
            self._file.write(orjson.dumps({"reason": reason, **one}, option=orjson.OPT_APPEND_NEWLINE))

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _said(rows: Rows, saying: Saying, left: LeftOut) -> Iterator[dict[str, Any]]:
    for batch in rows.batches():
        prepared = saying.prepared(batch.select(saying.columns))
        for place, row in enumerate(prepared.iter_rows(named=True)):
            try:
                record = saying.record(row)
            except Unsayable as verdict:
                left.add(batch[place : place + 1], verdict.reason, verdict.way_out)
                continue
            left.said += 1
            yield record


def _none_said(use: str, left: dict[str, LeftOut], at: str) -> DataError:
    """The error of a format that has words for none of the rows."""
    return DataError(f"{use} can say none of the rows: {_told(left)}", at=at, hint="; ".join(_ways_out(left)))


def _ways_out(left: dict[str, LeftOut]) -> list[str]:
    return list(dict.fromkeys(way for one in left.values() for way in one.ways_out))


def _told(left: dict[str, LeftOut]) -> str:
    """How many were left out, and why, by split."""
    splits = []
    for name, one in left.items():
        if one.reasons:
            why = ", ".join(f"{reason} {n:,}" for reason, n in one.reasons.most_common(4))
            splits.append(f"{name} {things(one.reasons.total(), 'row')} ({why})")
    return "; ".join(splits).strip()


def left_out_of(out: Path) -> dict[str, int]:
    """Rows that an export of a shaped format set aside, by split; under an empty name where it is a file."""
    place = out / "schema.json" if out.is_dir() else out.with_name(f"{out.name}.schema.json")
    told = json.loads(place.read_bytes())["seedbed"]
    return {name: sum(reasons.values()) for name, reasons in told["left_out"].items()}


def task_of(run: Path) -> Task:
    """The task of a run.

    Raises:
        DataError: Its record is damaged.
    """
    try:
        record = json.loads((run / "run.json").read_bytes())
        task: Task = TypeAdapter(AnyTask).validate_python(record["task"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        raise DataError("the run's record does not tell its task", at=str(run), hint="make the run anew") from None
    return task
