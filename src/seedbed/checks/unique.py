"""unique: no two rows have the same values."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.numbers import things
from seedbed.core.part import Columns, Example
from seedbed.core.values import is_missing

from .rows_shown import MOST

_COUNT = "\x00rows"


class Unique(Check):
    """Are the values of these columns, taken together, different in every row?

    The value is the number of rows beyond the first that have the same values: of three equal rows it counts two.

    ## Why
    A key that stands for two rows joins the wrong ones, and a text that is there twice is counted twice.

    ## Limits
    Rows that miss one of the values are not compared; `no_missing` finds those. Values are equal or they are not:
    texts that differ by a blank are two. The values that repeat are held in memory.
    """

    use: Literal["unique"] = "unique"
    columns: Columns = Field(description="Columns whose values, together, must not repeat.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="An id that is there twice",
            options={"columns": ["id"]},
            before={"id": [1, 2, 2, 2, None, None]},
            after={"passed": [False], "value": [2], "limit": [0]},
        ),
        Example(
            title="Two columns together",
            options={"columns": ["shop", "id"]},
            before={"shop": ["a", "a", "b"], "id": [1, 2, 1]},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Count rows that repeat another."""
        names = list(dict.fromkeys(self.columns))
        whole = view.rows.filter(~pl.any_horizontal([is_missing(name) for name in names]))
        groups = whole.group_by(names).agg(pl.len().alias(_COUNT)).filter(pl.col(_COUNT) > 1)
        repeated = groups.collect(engine="streaming")
        rows = int((repeated[_COUNT] - 1).sum())
        said = " and ".join(names)
        if not rows:
            return self.finding(True, value=0, limit=0, message=f"No two rows have the same {said}.")
        groups_said = f"{repeated.height:,} values are" if repeated.height > 1 else "one value is"
        top = repeated.sort(_COUNT, *names, descending=[True, *[False] * len(names)], nulls_last=True).head(1)
        value = mask(", ".join(str(top[name][0]) for name in names))[:60]
        message = (
            f"{things(rows, 'row repeats', 'rows repeat')} the {said} of a row before them: "
            f"{groups_said} there more than once, "
            f"{value!r} in {things(int(top[_COUNT][0]), 'row')}."
        )
        return self.finding(False, value=rows, limit=0, message=message, rows=self._shown(whole, top, names))

    def _shown(self, rows: pl.LazyFrame, top: pl.DataFrame, names: list[str]) -> tuple[str, ...]:
        """Rows of the value that is there most often."""
        same = pl.all_horizontal([pl.col(name) == pl.lit(top[name]).first() for name in names])
        return tuple(rows.filter(same).select("row").head(MOST).collect(engine="streaming")["row"])
