"""class_share: no class is too small or too large."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.limits import limits_fit
from seedbed.core.numbers import things
from seedbed.core.part import Example, LabelColumn
from seedbed.core.values import text_of

from .rows_shown import first_rows


class ClassShare(Check):
    """Is every class large enough, and none too large?

    The value is the share of the smallest class among rows with a label; where only `at_most` is asked for, or where
    it fails, that of the largest. A label that the task names and no row has counts as a share of 0.

    ## Why
    A class with a handful of rows can be neither learned nor judged, and a class that is nearly everything makes
    accuracy look good for nothing.

    ## Limits
    Every value of the column is a class: a column of free text has as many as rows. Missing labels are not counted. Of
    sets of labels (`multi_label_classification`), the share is that of the rows that carry a label, among others or
    alone; a set may be empty.
    """

    use: Literal["class_share"] = "class_share"
    column: LabelColumn = Field(None, description="Column that holds the class; the task's label when left out.")
    at_least: float | None = Field(None, ge=0, le=1, description="Least share of every class, such as 0.05.")
    at_most: float | None = Field(None, ge=0, le=1, description="Largest share of any class, such as 0.8.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The smallest class is too small",
            options={"at_least": 0.3},
            before={"label": ["a", "a", "a", "b", None]},
            after={"passed": [False], "value": [0.25], "limit": [0.3]},
        ),
        Example(
            title="The largest class is not too large",
            options={"column": "kind", "at_most": 0.8},
            before={"kind": [1, 1, 1, 2]},
            after={"passed": [True], "value": [0.75], "limit": [0.8]},
        ),
        Example(
            title="Sets of labels",
            options={"column": "genres", "at_least": 0.3},
            before={"genres": [["drama", "war"], ["drama"], [], ["drama"]]},
            after={"passed": [False], "value": [0.25], "limit": [0.3]},
        ),
    )

    _limits_fit = model_validator(mode="after")(limits_fit)

    def find(self, view: View) -> Finding:
        """Measure the shares."""
        sets = isinstance(view.rows.collect_schema()[str(self.column)], pl.List)
        counts = self._counts(view, sets=sets)
        total = self._labelled(view) if sets else sum(counts.values())
        if not total or not counts:
            limit = self.at_most if self.at_least is None else self.at_least
            return self.finding(False, limit=limit, message=f"No row has a value of {self.column}.")
        order = sorted(counts, key=lambda name: (counts[name], name))
        smallest, largest = order[0], order[-1]
        if self.at_most is not None and (self.at_least is None or counts[largest] / total > self.at_most):
            return self._judged(self._of(view, largest, sets), "largest", largest, counts[largest], total, self.at_most)
        found = self._of(view, smallest, sets)
        return self._judged(found, "smallest", smallest, counts[smallest], total, self.at_least or 0.0)

    def _of(self, view: View, name: str, sets: bool) -> Callable[[], tuple[str, ...]]:
        """Some rows of a class, when they are asked for."""
        is_it = pl.col(str(self.column)).list.contains(name) if sets else text_of(str(self.column)) == name
        return lambda: first_rows(view, is_it)

    def _judged(
        self, of_it: Callable[[], tuple[str, ...]], which: str, name: str, rows: int, total: int, limit: float
    ) -> Finding:
        share, bound = rows / total, "at most" if which == "largest" else "at least"
        passed = share <= limit if which == "largest" else share >= limit
        return self.finding(
            passed,
            rows=() if passed else of_it(),
            value=round(share, 6),
            limit=limit,
            message=f"The {which} class of {self.column}, {mask(name)[:80]!r}, has {rows:,} of {things(total, 'row')} "
            f"({_percent(share)}); {bound} {_percent(limit)} is expected.",
        )

    def _labelled(self, view: View) -> int:
        return int(view.rows.select(pl.col(str(self.column)).count()).collect(engine="streaming").item())

    def _counts(self, view: View, *, sets: bool) -> dict[str, int]:
        label = pl.col(str(self.column)).explode().cast(pl.String) if sets else text_of(str(self.column))
        counted = (
            view.rows.select(label.alias("label")).drop_nulls().group_by("label").len().collect(engine="streaming")
        )
        named = view.task.names if self.column == view.task.answer else ()
        return dict.fromkeys(named, 0) | dict(counted.iter_rows())


def _percent(share: float) -> str:
    """With a decimal; of what would be 0.0 then, with two figures."""
    return f"{share:.1%}" if share >= 0.001 or not share else f"{100 * share:.2g}%"
