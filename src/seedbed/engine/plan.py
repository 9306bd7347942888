"""What will be done, checked before it is: columns, types, and the passes that steps fall into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.part import Part, labels_of
from seedbed.core.rows import NUMBER, ROW, data_columns
from seedbed.core.source import Scan, Source
from seedbed.core.step import Filter, Map, Reduce, Step
from seedbed.core.task import Task

from .kernel import Usable

#: Name in the ledger of rows that the task cannot use.
TASK = "task"


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
    """Columns to take from a source, as NEW: OLD. A column that would hide a row's identity gets a `_` at its end.

    Raises:
        RecipeError: `columns` names a column that is not there.
    """
    if source.columns is None:
        return {f"{name}_" if name in (ROW, NUMBER) else name: name for name in scan.schema.names()}
    for new, old in source.columns.items():
        if old not in scan.schema:
            raise RecipeError(
                f"the source has no column {old!r}",
                at=f"{at}.columns.{new}",
                hint=known_columns(old, scan.schema.names()),
            )
        if new in (ROW, NUMBER):
            raise RecipeError(
                f"{new!r} is the name of the rows' own ids", at=f"{at}.columns.{new}", hint="choose another name"
            )
    return dict(source.columns)


def common_schema(schemas: Sequence[tuple[str, pl.Schema]]) -> pl.Schema:
    """The columns of all sources together, each with a type that holds the values of all.

    Raises:
        RecipeError: Two sources hold values of types that do not go together.
    """
    merged: dict[str, pl.DataType] = {}
    for at, schema in schemas:
        for name, kind in schema.items():
            known = merged.setdefault(name, kind)
            if kind in (known, pl.Null):
                continue
            if known == pl.Null or (known.is_integer() and kind.is_float()):
                merged[name] = kind
            elif pl.String in (known, kind):
                merged[name] = pl.String()
            elif not (known.is_float() and kind.is_integer()):
                raise RecipeError(
                    f"column {name!r} holds {kind} here and {known} in a source before",
                    at=at,
                    hint="rename one of them with `columns: {NEW: OLD}`",
                )
    return pl.Schema({name: pl.String() if kind == pl.Null else kind for name, kind in merged.items()})


def check_steps(steps: Sequence[Step], schema: pl.Schema) -> pl.Schema:
    """Try the steps on no rows; the columns that come out.

    Raises:
        RecipeError: A step names a column that is not there, or cannot work on its type.
    """
    rows = pl.DataFrame(schema={NUMBER: pl.UInt64(), ROW: pl.String(), **schema})
    for place, step in enumerate(steps):
        at = f"steps.{place}"
        check_columns(step, data_columns(rows), at)
        try:
            if isinstance(step, Map):
                rows = rows.with_columns(step.columns())
            elif isinstance(step, Filter):
                rows.filter(step.keep()).select(step.reason(), **step.evidence())
            elif isinstance(step, Reduce):
                missing = [name for name in step.reads() if name not in rows.columns]
                if missing:
                    raise pl.exceptions.ColumnNotFoundError(missing[0])
                rows.select([total.sum().alias(name) for name, total in step.survey().items()])
        except pl.exceptions.PolarsError as error:
            raise RecipeError(
                f"{step.use} cannot work on these columns: {str(error).splitlines()[0][:200]}",
                at=at,
                hint=f"the columns are {', '.join(f'{n} ({rows.schema[n]})' for n in data_columns(rows)[:12])}",
            ) from None
    return rows.schema


def check_columns(part: Part, columns: Sequence[str], at: str) -> None:
    """Refuse a part whose options name a column that is not there.

    Raises:
        RecipeError: With the column, and the one that may be meant.
    """
    for option in type(part).columns_named():
        value = getattr(part, option)
        for name in [value] if isinstance(value, str) else value or []:
            if name not in columns:
                raise RecipeError(
                    f"{part.use} names the column {name!r}, which is not there",
                    at=f"{at}.{option}",
                    hint=known_columns(name, columns),
                )


def known_columns(wrong: str, columns: Sequence[str]) -> str:
    """A hint about columns."""
    return did_you_mean(wrong, columns).replace("known:", "the columns are")
