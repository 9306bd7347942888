"""One preprocessing: the steps that write a model's input, as data, and examples to hold any runtime against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from seedbed.core.context import Context
from seedbed.core.part import labels_of
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Map, Step
from seedbed.core.task import Task
from seedbed.engine.curate import Curated
from seedbed.engine.kernel import Kernel
from seedbed.engine.raw import raw_rows

#: Examples in a bundle.
GOLDEN = 8


@dataclass(frozen=True)
class Preprocessing:
    """The Maps that write the task's text, in order, and some held-out rows before and after them."""

    steps: tuple[Map, ...]
    golden: pl.DataFrame
    """`ROW`, the raw values of the columns that the steps read, and `after`: the text that the model reads."""


def preprocessing_of(
    steps: Sequence[Step], task: Task, curated: Curated, held_out: Sequence[str], context: Context
) -> Preprocessing:
    """The preprocessing of a run.

    Args:
        steps: The recipe's.
        task: Names the text.
        curated: Where raw rows come from.
        held_out: `ROW` names of rows that no model was trained on, in order.
        context: As it was when the rows were read.
    """
    writing = tuple(step for step in steps if isinstance(step, Map) and task.text in _written_by(step))
    rows = curated.table.scan().filter(pl.col(ROW).is_in(list(held_out[:GOLDEN]))).select(NUMBER).collect()
    raw = raw_rows(curated.opened, curated.schema, rows[NUMBER], context)
    kernel = Kernel(tuple(zip(labels_of(list(writing)), writing, strict=True)))
    after = kernel(raw).kept[task.text].alias("after")
    read = {task.text, *(name for step in writing for one in step.columns() for name in one.meta.root_names())}
    return Preprocessing(writing, raw.select(ROW, *(name for name in curated.schema if name in read), after))


def _written_by(step: Map) -> set[str]:
    return {name for one in step.columns() if (name := one.meta.output_name(raise_if_undetermined=False))}
