"""Rows of a file that no run made, for formats that say a task: which task it is, and which rows it can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.exporter import Rows
from seedbed.core.rows import ROW
from seedbed.core.task import Chat, QuestionAnswering, Task, TextToText

#: Tasks that columns of these names are of, the first that are there.
_NAMED: tuple[Task, ...] = (
    Chat(tools="tools"),
    Chat(),
    Chat(messages="conversations"),
    QuestionAnswering(),
    TextToText(text="prompt", target="completion"),
)
#: Columns that other programs keep ids in.
_IDS = (ROW, "id")


def task_in(schema: pl.Schema) -> Task:
    """The task that rows with such columns are of.

    Raises:
        RecipeError: They tell none.
    """
    for task in _NAMED:
        if all(name in schema for name in task.roles.values()):
            return task
    hint = "--set 'task={kind: text_to_text, text: COLUMN, target: COLUMN}', or any other task as recipes have it"
    raise RecipeError("what are the rows of this file to a model?", at="--to", hint=hint)


def usable(rows: Rows, task: Task, refuse: Callable[[pl.DataFrame, str], None]) -> Rows:
    """Rows in the task's own form, each with an id.

    Args:
        rows: As a file holds them.
        task: What they are to a model.
        refuse: Is given each row that the task cannot use, and why.

    Raises:
        RecipeError: A column of the task is not there.
    """
    for role, name in task.roles.items():
        if name not in rows.schema:
            hint = did_you_mean(name, rows.schema.names())
            raise RecipeError(f"the file has no column {name[:80]!r}", at=f"--set task.{role}", hint=hint)

    def batches() -> Iterator[pl.DataFrame]:
        read = 0
        for batch in rows.batches():
            named = _with_ids(batch, read)
            yield _worked(named, task, refuse)
            read += batch.height

    return replace(
        rows, schema=_worked(_with_ids(pl.DataFrame(schema=rows.schema), 0), task, refuse).schema, batches=batches
    )


def _with_ids(batch: pl.DataFrame, read: int) -> pl.DataFrame:
    """Rows under the ids that they have, else under their numbers, from 1."""
    found = next((batch[name] for name in _IDS if name in batch.columns), None)
    ids = pl.Series(range(read + 1, read + 1 + batch.height), dtype=pl.Int64) if found is None else found
    return pl.DataFrame([ids.cast(pl.String).alias(ROW), *(one for one in batch if one.name != ROW)])


def _worked(batch: pl.DataFrame, task: Task, refuse: Callable[[pl.DataFrame, str], None]) -> pl.DataFrame:
    work = batch.select(task.work().alias("work"))["work"].struct.unnest()
    reasons = work["reason"]
    for place in reasons.is_not_null().arg_true():
        refuse(batch[int(place) : int(place) + 1], reasons[int(place)])
    if "columns" in work.columns:
        batch = batch.with_columns(work["columns"].struct.unnest().get_columns())
    return batch.filter(reasons.is_null())
