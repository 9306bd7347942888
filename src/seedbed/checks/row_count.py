"""row_count: enough rows, and not too many."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.check import Check, Finding, View
from seedbed.core.limits import limits_fit
from seedbed.core.numbers import things, word
from seedbed.core.part import Example


class RowCount(Check):
    """Are there as many rows as expected?

    The value is the number of rows that are left after all steps.

    ## Why
    A source that was cut short, or a step that rejects nearly everything, shows first in the number of rows.

    ## Limits
    Counts rows, not what is in them.
    """

    use: Literal["row_count"] = "row_count"
    at_least: int | None = Field(None, ge=0, description="Fewest rows.")
    at_most: int | None = Field(None, ge=0, description="Most rows.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Enough",
            options={"at_least": 2},
            before={"text": ["a", "b", "c"]},
            after={"passed": [True], "value": [3], "limit": [2]},
        ),
        Example(
            title="Too many",
            options={"at_least": 1, "at_most": 2},
            before={"text": ["a", "b", "c"]},
            after={"passed": [False], "value": [3], "limit": [2]},
        ),
    )

    _limits_fit = model_validator(mode="after")(limits_fit)

    def find(self, view: View) -> Finding:
        """Count the rows."""
        count = int(view.rows.select(pl.len()).collect(engine="streaming").item())
        if self.at_most is not None and (count > self.at_most or self.at_least is None):
            message = f"There {word(count, 'is', 'are')} {things(count, 'row')}; at most {self.at_most:,} are expected."
            return self.finding(count <= self.at_most, value=count, limit=self.at_most, message=message)
        least = self.at_least or 0
        message = f"There {word(count, 'is', 'are')} {things(count, 'row')}; at least {least:,} are expected."
        return self.finding(count >= least, value=count, limit=least, message=message)
