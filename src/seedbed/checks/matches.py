"""matches: values look as they should."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import AfterValidator, Field

from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.part import Column, Example
from seedbed.core.values import is_missing, text_of

from .rows_shown import MOST, share_finding


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _a_pattern(pattern: str) -> str:
    try:
        for one in (pattern, _whole(pattern)):
            pl.select(pl.lit("").str.contains(one))
    except pl.exceptions.PolarsError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip().startswith("error:")]
        said = lines[0].removeprefix("error: ") if lines else "it cannot be read"
        raise ValueError(f"{pattern[:40]!r} is no regular expression: {said}") from None
    return pattern


class Matches(Check):
    """Do values look as a pattern says?

    The pattern is a regular expression (https://docs.rs/regex/latest/regex/#syntax) that the whole value must fit. The
    value is the share of values that do.

    ## Why
    An id, a code or a language tag has a form. What has another came from the wrong column, or was cut.

    ## Limits
    Missing values are not judged here but by `no_missing`. Values are compared as text: a whole number reads `1`, a
    decimal `1.0`. Patterns have no look-around and no back-references, so that none takes forever.
    """

    use: Literal["matches"] = "matches"
    column: Column = Field(description="Column to look at.")
    pattern: Annotated[str, AfterValidator(_a_pattern)] = Field(
        min_length=1, description="Regular expression that the whole value fits."
    )
    anywhere: bool = Field(False, description="Whether it is enough that a part of the value fits.")
    at_least: float = Field(1.0, gt=0, le=1, description="Least share of values that fit.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Codes",
            options={"column": "code", "pattern": "[A-Z]{2}-\\d{3}"},
            before={"code": ["AB-123", "XY-001", "ab-123", "AB-1234", None]},
            after={"passed": [False], "value": [0.5], "limit": [1.0]},
        ),
        Example(
            title="Most texts hold a letter",
            options={"column": "text", "pattern": "\\p{L}", "anywhere": True, "at_least": 0.6},
            before={"text": ["good", "!!!", "été"]},
            after={"passed": [True], "value": [0.666667], "limit": [0.6]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Measure the share of values that fit."""
        value = text_of(self.column)
        fits = value.str.contains(self.pattern if self.anywhere else _whole(self.pattern))
        there = ~is_missing(self.column, blank=False)
        others = view.rows.filter(there & ~fits).select(value.alias("value")).head(MOST)
        shown = others.collect(engine="streaming")["value"].unique(maintain_order=True).head(3)
        examples = ", ".join(repr(mask(text)[:40]) for text in shown)
        such_as = f", such as {examples}" if len(shown) else ""
        return share_finding(
            self,
            view,
            judged=there,
            blamed=~fits,
            limit=self.at_least,
            what=f"values of {self.column} do not fit {self.pattern[:60]!r}{such_as}",
            good=True,
        )
