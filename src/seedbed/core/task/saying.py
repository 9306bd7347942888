"""Answers of rows as text, as people read them and decide on them: what a task reads back as the same."""

from __future__ import annotations

import orjson
import polars as pl

from seedbed.core.rows import data_columns
from seedbed.core.values import said

from .task import Task


def answers_said(task: Task, values: pl.Series) -> pl.Series:
    """Each answer as text: a set of labels as a JSON list, a number in digits, turns and spans by what they say.

    Args:
        task: Whose answers they are.
        values: In the task's own form; texts are taken for what they say.
    """
    if task.says == "labels" and isinstance(values.dtype, pl.List):
        told = [None if one is None else said_set(one) for one in values.to_list()]
        return pl.Series(values.name, told, dtype=pl.String)
    return said(values) if values.dtype.is_nested() else values.cast(pl.String)


def rows_said(task: Task, rows: pl.DataFrame) -> pl.Series:
    """What each row says that is to be answered: its text, or the fields of a table, a line each."""
    if not task.alike_if_equal:
        return said(rows[task.shown]) if task.shown in rows.columns else _nothing(rows.height)
    known = [name for name in task.compared(data_columns(rows)) if name in rows.columns]
    return fields_said(rows.select(known))


def fields_said(rows: pl.DataFrame) -> pl.Series:
    """Columns with their values, a line each (`age: 29`); those without a value are left out."""
    if not rows.width:
        return _nothing(rows.height)
    lines = [pl.format("{}: {}", pl.lit(column.name), pl.lit(said(column))) for column in rows]
    return rows.select(pl.concat_str(lines, separator="\n", ignore_nulls=True)).to_series()


def _nothing(rows: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, rows)


def said_set(labels: list[str]) -> str:
    """A set of labels as a JSON list."""
    return orjson.dumps(labels).decode()
