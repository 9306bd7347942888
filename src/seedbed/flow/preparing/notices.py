"""What a careful reader would point out about `prepare`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from seedbed.core.learner import Learner
from seedbed.core.part import labels_of
from seedbed.core.rows import WEIGHT, data_columns
from seedbed.core.step import Fitted, Step
from seedbed.core.task import Task

from .bearing import written_by
from .prepare import Learning

#: Columns that a notice names.
_NAMED = 4


def notices_of(prepare: Sequence[Step], train: Sequence[Learner]) -> Iterator[str]:
    """Learners to whom all training rows count alike although a part says how much each does."""
    weighing = [
        name
        for name, step in zip(labels_of(list(prepare)), prepare, strict=True)
        if isinstance(step, Fitted) and step.weighs
    ]
    named = zip(labels_of(list(train)), train, strict=True)
    deaf = [name for name, learner in named if not learner.heeds_weights]
    if weighing and deaf:
        yield f"{', '.join(deaf)} took no notice of what {' and '.join(weighing)} wrote: all rows counted alike"


def unread(
    task: Task, prepare: Sequence[Step], learned: Sequence[Learning], before: pl.Schema, after: pl.Schema
) -> Iterator[str]:
    """Columns that `prepare` wrote and that no model was given: models get the task's columns (and weights) alone.

    Args:
        task: Names the columns that are read.
        prepare: The recipe's.
        learned: What became of its parts that learn.
        before: The rows' columns as they were split.
        after: Those of the dataset.
    """
    rewritten = {name for names in written_by(prepare, learned) for name in names or ()}
    read = {*task.roles.values(), *task.reads(data_columns(after)), WEIGHT}
    found = [name for name in data_columns(after) if name not in read and (name not in before or name in rewritten)]
    if not found:
        return
    what = f"prepare wrote the column {found[0][:40]}, which no learner of this recipe reads"
    if len(found) > 1:
        more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        such = ", ".join(name[:40] for name in found[:_NAMED])
        what = f"prepare wrote {len(found):,} columns that no learner of this recipe reads ({such}{more})"
    named = " and ".join(task.reads(data_columns(after))[:_NAMED]) or "none"
    yield (
        f"{what}: learners of texts read {named} alone"
        if task.shown
        else f"{what}: the task's `features` name what they read; without them, all columns are read, and these too"
    )
