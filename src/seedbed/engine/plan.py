"""What will be done, checked before it is: columns, types, and the passes that steps fall into."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl
from polars.datatypes import DataTypeClass

from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.part import Part, labels_of, placed
from seedbed.core.rows import NUMBER, ROW, data_columns
from seedbed.core.source import Scan, Source
from seedbed.core.step import Filter, Map, Reduce, Step
from seedbed.core.task import Task

from .kernel import Usable

#: Name in the ledger of rows that the task cannot use.
TASK = "task"

#: What holds whole numbers of which some do not fit 64 bits: neither Arrow nor Parquet has longer integers.
_LONG = pl.Decimal(38, 0)
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
_NUMBERS = (pl.Boolean, *_INTEGERS, pl.Float32, pl.Float64, _LONG)
_DATES = (pl.Date, pl.Datetime)
_NAMES = (pl.String, pl.Categorical, pl.Enum)
_WRITABLE = (*_NAMES, *_DATES, pl.Time, pl.Boolean)


@dataclass(frozen=True)
class Leg:
    """Row-wise steps between two whole-table steps."""

    steps: tuple[tuple[str, Map | Filter], ...]
    ends_with: tuple[str, Reduce] | None
    """The whole-table step that follows, with its name in the ledger."""


def legs_of(steps: Sequence[Step], task: Task) -> list[Leg]:
    """The passes that steps fall into. The last keeps only rows that the task can use."""
    legs: list[Leg] = []
    row_wise: list[tuple[str, Map | Filter]] = []
    for name, step in zip(labels_of(list(steps)), steps, strict=True):
        if isinstance(step, Reduce):
            legs.append(Leg(tuple(row_wise), (name, step)))
            row_wise = []
        elif isinstance(step, Map | Filter):
            row_wise.append((name, step))
        else:
            raise RecipeError(f"{step.use!r} learns from training rows", at=name, hint="move it to `prepare`")
    return [*legs, Leg((*row_wise, (TASK, Usable(use=TASK, task=task))), None)]


def renames_of(source: Source, scan: Scan, at: str) -> dict[str, str]:
    """Columns to take from a source, as NEW: OLD. One that cannot keep its name gets a `_` (`_2`, …) at its end.

    Such are those that would hide a row's identity, those that mean several columns, and those that are no name.

    Raises:
        RecipeError: `columns` names a column that is not there.
    """
    if source.columns is None:
        names = scan.schema.names()
        return usable_names(names, {name for name in names if name in (ROW, NUMBER) or means_several(name)})
    for new, old in source.columns.items():
        if old not in scan.schema:
            raise RecipeError(
                f"the source has no column {old!r}",
                at=f"{at}.columns.{new}",
                hint=known_columns(old, scan.schema.names()),
            )
        if means_several(new):
            raise RecipeError(
                f"{new!r} would mean several columns", at=f"{at}.columns.{new}", hint="choose another name"
            )
        if new in (ROW, NUMBER):
            raise RecipeError(
                f"{new!r} is the name of the rows' own ids", at=f"{at}.columns.{new}", hint="choose another name"
            )
    return dict(source.columns)


def usable_names(names: Sequence[str], not_these: Collection[str] = ()) -> dict[str, str]:
    """Columns as NEW: OLD, those with another name that cannot keep theirs.

    Polars makes up a name for one that has none, another in every table; Arrow takes a NUL for the end of a name.

    Args:
        names: The columns.
        not_these: Names that mean something else here.
    """
    found: dict[str, str] = {}
    for name in names:
        keeps = name and "\0" not in name and name not in not_these
        found[name if keeps else free_name(name.replace("\0", ""), [*names, *found])] = name
    return found


def means_several(name: str) -> bool:
    """Whether Polars takes a column's name for a pattern: `*`, or what stands between `^` and `$`."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def free_name(name: str, taken: Sequence[str]) -> str:
    """The name with a `_` at its end, and a number where others have that name."""
    endings = itertools.chain(["_"], (f"_{number}" for number in itertools.count(2)))
    return next(name + ending for ending in endings if name + ending not in taken)


def common_schema(schemas: Sequence[tuple[str, pl.Schema]]) -> pl.Schema:
    """The columns of all sources together, each with a type that holds the values of all.

    Raises:
        RecipeError: Two sources hold values of types that do not go together.
    """
    merged: dict[str, pl.DataType] = {}
    for at, schema in schemas:
        for name, kind in schema.items():
            known = merged.setdefault(name, kind)
            together = _holding(known, kind)
            if together is None:
                raise RecipeError(
                    f"column {name!r} holds {kind} here and {known} in a source before",
                    at=at,
                    hint="rename one of them with `columns: {NEW: OLD}`",
                )
            merged[name] = together
    return pl.Schema({name: pl.String() if kind == pl.Null else kind for name, kind in merged.items()})


def _holding(a: pl.DataType, b: pl.DataType) -> pl.DataType | None:
    """A type that values of both can be cast to, whatever they are; none where there is none that means the same.

    Numbers and dates widen as in Polars; a number or a date beside text is text; a list is as its values are.
    """
    if a == b or pl.Null in (a, b):
        return b if a == pl.Null else a
    if isinstance(a, pl.List) and isinstance(b, pl.List):
        inner = _holding(_type(a.inner), _type(b.inner))
        return None if inner is None else pl.List(inner)
    if pl.String in (a, b) or (a in _NAMES and b in _NAMES):
        return pl.String() if all(kind in _WRITABLE or kind.is_numeric() for kind in (a, b)) else None
    for family in (_NUMBERS, _DATES):
        if a in family and b in family:
            return _supertype(a, b)
    return None


def _supertype(a: pl.DataType, b: pl.DataType) -> pl.DataType | None:
    try:
        found = pl.concat([pl.DataFrame(schema={"x": a}), pl.DataFrame(schema={"x": b})], how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        return None
    kind = found.schema["x"]
    if isinstance(kind, pl.Datetime):  # not every date fits nanoseconds
        return pl.Datetime("us", kind.time_zone)
    return _LONG if kind == pl.Int128 else kind


def _type(kind: DataTypeClass | pl.DataType) -> pl.DataType:
    """A list's inner type, which may be a class where it has no options."""
    return kind() if isinstance(kind, type) else kind


def check_steps(steps: Sequence[Step], schema: pl.Schema) -> pl.Schema:
    """Try the steps on no rows; the columns that come out.

    Raises:
        RecipeError: A step names a column that is not there, or cannot work on its type.
    """
    rows = pl.DataFrame(schema={NUMBER: pl.UInt64(), ROW: pl.String(), **schema})
    for place, step in enumerate(steps):
        at = f"steps.{place}"
        check_columns(step, data_columns(rows), at)
        refuse_clashes(step, data_columns(rows), at)
        if isinstance(step, Reduce):
            try:
                step.check_schema(rows.schema)
            except RecipeError as error:
                raise RecipeError(error.problem, at=f"{at}.{error.at}", hint=error.hint) from None
        try:
            rows = _tried(step, rows)
        except pl.exceptions.PolarsError as error:
            said = str(error).splitlines()[0]
            columns = f"the columns are {', '.join(f'{n} ({rows.schema[n]})' for n in data_columns(rows)[:12])}"
            raise RecipeError(
                f"{step.use} cannot work on these columns: {said.partition(' (create native')[0][:200]}",
                at=at,
                hint="write a date as DATE '2024-01-31'" if "date/datetime/time" in said else columns,
            ) from None
    return rows.schema


def refuse_clashes(step: Step, columns: Sequence[str], at: str) -> None:
    """Refuse a step that would bring a column that is there already.

    Raises:
        RecipeError: With the column.
    """
    with placed(at, step):
        brought = step.brings()
    for name in brought:
        if name in columns:
            raise RecipeError(
                f"{step.use} would bring the column {name!r}, which is there already",
                at=at,
                hint="rename one of them with the `columns: {NEW: OLD}` of its source, or do not take it",
            )


def _tried(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    """No rows, as a step leaves them."""
    if isinstance(step, Filter):
        rows.filter(step.keep()).select(step.reason(), **step.evidence())
    if isinstance(step, Map):
        return rows.with_columns(step.columns())
    if isinstance(step, Reduce):
        rows.select(step.reads())
        rows.select([total.sum().alias(name) for name, total in step.survey().items()])
    return rows


def check_columns(part: Part, columns: Sequence[str], at: str) -> None:
    """Refuse a part whose options name a column that is not there.

    Raises:
        RecipeError: With the column, and the one that may be meant.
    """
    for option, name in part.columns_used():
        check_column(name, columns, f"{at}.{option}", part.use)


def check_column(name: str, columns: Sequence[str], at: str, who: str) -> None:
    """Refuse a column that is not there.

    Raises:
        RecipeError: With the column that may be meant.
    """
    if name not in columns:
        raise RecipeError(
            f"{who} names the column {name!r}, which is not there", at=at, hint=known_columns(name, columns)
        )


def known_columns(wrong: str, columns: Sequence[str]) -> str:
    """A hint about columns."""
    return did_you_mean(wrong, columns).replace("known:", "the columns are")
