"""The task as the rows have it: its labels."""

from __future__ import annotations

import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.task import Task
from seedbed.engine.curate import Curated
from seedbed.engine.passes import why_rejected

from .papers.notices import MOST_LABELS


def settle(task: Task, curated: Curated) -> Task:
    """The task with its labels; read off the data, sorted, where the recipe does not name them.

    Raises:
        DataError: The rows carry fewer than two labels, or too many.
    """
    if task.answer is None or task.says not in ("label", "labels"):
        return task
    column = pl.col(task.answer).explode() if task.says == "labels" else pl.col(task.answer)
    found = curated.table.scan().select(column.cast(pl.String).unique()).collect(engine="streaming")
    labels = tuple(sorted(found.to_series().drop_nulls().to_list()))
    if len(labels) < (2 if task.says == "label" else 1):
        carried = f"carry the label {labels[0][:80]!r}; a classifier needs two" if labels else "carry no label"
        raise DataError(
            f"all {things(curated.books.kept, 'row that is left', 'rows that are left')} {carried}",
            at=f"column {task.answer!r}",
            hint=why_rejected(curated.books) or "look at the label column of the source",
        )
    if len(labels) > MOST_LABELS:
        raise DataError(
            f"there are {len(labels):,} different labels, and a classifier gets at most {MOST_LABELS:,}",
            at=f"column {task.answer!r}",
            hint="is it an id or a text? `map_values` or `keep_values` make fewer of them",
        )
    return task if task.names else task.model_copy(update={"labels": labels})
