"""Judges that neither model has seen: of a split by time, rows that came after all that trained the champion.

A model that has learned from rows of May must not be judged on rows of April: it knows what came after. So the frozen
test rows of the champion, which the challenger may train on by now, do not judge; the challenger's own test rows do,
which are the youngest of all, as far as they are younger than every row that trained or chose the champion. The
champion is asked about them now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from seedbed.core.errors import DataError, ModelError, told_as
from seedbed.core.promotion import Later
from seedbed.core.rows import WEIGHT
from seedbed.evaluate.forms import Form
from seedbed.flow.finished import Finished
from seedbed.flow.versions.models import task_of
from seedbed.flow.versions.sides import open_side
from seedbed.train.bundle import load_bundle

from .grown import said_in, says

#: What a model has seen before it is judged.
_SEEN = ("train", "validation")


@dataclass(frozen=True)
class Window:
    """Rows that are later than all that a model has seen."""

    rows: pl.DataFrame
    told: Later


def window_after(champion: Finished, challenger: Finished, column: str) -> Window:
    """The challenger's test rows that are later than all that trained or chose the champion.

    Raises:
        DataError: The champion's rows have no such column.
    """
    task = task_of(challenger.run)
    before, now = open_side(champion.folder), open_side(challenger.folder)
    if column not in before.schema:
        raise DataError(f"its rows have no column {column!r}, by which time goes", at=str(champion.folder))
    seen = [file for split in _SEEN for file in before.files.get(split, ())]
    last = pl.concat([pl.read_parquet(file, columns=[column], glob=False) for file in seen])[column].max()
    rows = pl.concat([pl.read_parquet(file, glob=False) for file in now.files["test"]], how="vertical_relaxed")
    rows = rows.filter(pl.col(column) > pl.lit(last, dtype=before.schema[column]))
    known = pl.concat([said_in(file, task) for file in seen]).unique()
    copies = says(rows, task).is_in(known.implode())
    until = rows[column].max()
    told = Later(column=column, after=str(last), until="" if until is None else str(until), seen=int(copies.sum()))
    return Window(rows.filter(~copies), told)


def asked_now(champion: Finished, rows: pl.DataFrame, form: Form) -> Any:
    """What the champion's best model answers to rows of the challenger's dataset, which went through the same steps.

    Raises:
        ModelError: It cannot be opened, or fails.
    """
    name = champion.run.best
    assert name is not None
    model, _ = load_bundle(champion.folder / "models" / name)
    with told_as(ModelError, name):
        answers = model.predict(form.task.as_asked(rows).drop(WEIGHT, strict=False))
    return form.checked(answers, rows.height, model.labels)
