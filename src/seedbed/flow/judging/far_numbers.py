"""Targets that are larger than any model can learn: slips, mostly, told by their row before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seedbed.core.errors import DataError
from seedbed.core.numbers import things, word
from seedbed.core.rows import ROW
from seedbed.core.task import Task

from .judge import Rows

#: Errors are squared and added up, and networks hold numbers of single precision: beyond this, neither goes well.
LARGEST = 1e30


def refuse_far_numbers(task: Task, splits: Mapping[str, Rows]) -> None:
    """Refuse targets beyond `LARGEST`.

    Args:
        task: What models answer.
        splits: Rows by split.

    Raises:
        DataError: Some target is larger; it names the column and the first such row.
    """
    if task.says != "number":
        return
    found = []
    for name, rows in splits.items():
        far = np.flatnonzero(np.abs(rows.truth) > LARGEST)
        found += [(name, rows.frame[ROW][int(place)], float(rows.truth[place])) for place in far]
    if found:
        split, row, value = found[0]
        raise DataError(
            f"{things(len(found), 'target')} {word(len(found), 'is', 'are')} beyond {LARGEST:g}, which no model can "
            f"learn: the first is {value:g}, of row {row} ({split})",
            at=f"column {task.answer!r}",
            hint="take such rows out with a `where` step, or write the target in larger units (`derive`)",
        )
