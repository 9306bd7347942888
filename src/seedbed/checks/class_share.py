"""class_share: no class is too small or too large."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.limits import limits_fit
from seedbed.core.part import Example, LabelColumn
from seedbed.core.values import text_of


class ClassShare(Check):
    """Is every class large enough, and none too large?

    The value is the share of the smallest class among rows with a label; where only `at_most` is asked for, or where
    it fails, that of the largest. A label that the task names and no row has counts as a share of 0.

    ## Why
    A class with a handful of rows can be neither learned nor judged, and a class that is nearly everything makes
    accuracy look good for nothing.

    ## Limits
    Every value of the column is a class: a column of free text has as many as rows. Missing labels are not counted.
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
    )

    _limits_fit = model_validator(mode="after")(limits_fit)

    def find(self, view: View) -> Finding:
        """Measure the shares."""
        counts = self._counts(view)
        total = sum(counts.values())
        if not total:
            limit = self.at_most if self.at_least is None else self.at_least
            return self.finding(False, limit=limit, message=f"No row has a value of {self.column}.")
        order = sorted(counts, key=lambda name: (counts[name], name))
        smallest, largest = order[0], order[-1]
        if self.at_most is not None and (self.at_least is None or counts[largest] / total > self.at_most):
            return self._judged("largest", largest, counts[largest], total, "at most", self.at_most)
        return self._judged("smallest", smallest, counts[smallest], total, "at least", self.at_least or 0.0)

    def _judged(self, which: str, name: str, rows: int, total: int, bound: str, limit: float) -> Finding:
        share = rows / total
        return self.finding(
            share <= limit if bound == "at most" else share >= limit,
            value=round(share, 6),
            limit=limit,
            message=f"The {which} class of {self.column}, {mask(name)[:80]!r}, has {rows:,} of {total:,} rows "
            f"({share:.1%}); {bound} {limit:.1%} is expected.",
        )

    def _counts(self, view: View) -> dict[str, int]:
        label = text_of(str(self.column)).alias("label")
        counted = view.rows.select(label).drop_nulls().group_by("label").len().collect(engine="streaming")
        named = view.task.labels if self.column == view.task.label else None
        return dict.fromkeys(named or (), 0) | dict(counted.iter_rows())
