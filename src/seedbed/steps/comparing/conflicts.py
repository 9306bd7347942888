"""Similar texts whose labels disagree: the options of the steps that remove all but one, and who is in such a group."""

from __future__ import annotations

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import LabelColumn
from seedbed.core.rows import NUMBER
from seedbed.core.step import Groups, Step

from .copies import column_of

OnConflict = Annotated[
    Literal["keep_first", "reject_all"],
    Field(description="What happens to near duplicates whose labels disagree: one stays all the same, or all go."),
]
Disagreeing = Annotated[
    LabelColumn,
    Field(description="Column whose values may disagree; the task's label when left out (for `reject_all`)."),
]


def looks_at_labels(step: Step) -> bool:
    """Whether a step with `on_conflict` reads the label.

    Raises:
        RecipeError: It does, and neither its option nor the task names one.
    """
    if getattr(step, "on_conflict", "keep_first") == "keep_first":
        return False
    column_of(step, "label")
    return True


def conflicting(step: Step, groups: Groups, rows: pl.DataFrame, by: str) -> pl.Series:
    """Whether labels disagree in the group of each row; nowhere where the step does not look. Missing ones do not.

    Args:
        step: Has the options.
        groups: Holds the rows.
        rows: `NUMBER` and the group.
        by: The column that names the group.
    """
    if not looks_at_labels(step):
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, rows.height)
    label = column_of(step, "label")
    labels = groups.lookup(rows[NUMBER], [label]).select(NUMBER, label=pl.col(label).cast(pl.String))
    joined = rows.join(labels, on=NUMBER, how="left", maintain_order="left")
    return joined.select(pl.col("label").drop_nulls().n_unique().over(by) > 1)["label"]
