"""text_length_range: texts are as long as they should be."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.check import Check, Finding, View
from seedbed.core.limits import limits_fit
from seedbed.core.part import Example, TextColumn
from seedbed.core.values import is_missing, text_of

from .rows_shown import share_finding


class TextLengthRange(Check):
    """Are texts long enough, and not too long?

    The value is the share of texts outside the limits, the limit the share that may be.

    ## Why
    Texts that are cut at 255 characters, or that swallowed the rows after them, show in their lengths; and what is
    longer than a model reads is cut in silence.

    ## Limits
    Characters are Unicode code points, words are what whitespace parts: as in the step `text_length`. Missing values
    are not judged here but by `no_missing`; an empty text is one of no characters.
    """

    use: Literal["text_length_range"] = "text_length_range"
    column: TextColumn = Field(None, description="Column to measure; the task's text when left out.")
    at_least: int | None = Field(None, ge=0, description="Fewest that a text may have.")
    at_most: int | None = Field(None, ge=0, description="Most that a text may have.")
    unit: Literal["characters", "words"] = Field("characters", description="What is counted.")
    share_outside: float = Field(0.0, ge=0, lt=1, description="Share of texts that may lie outside.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Too short, too long",
            options={"at_least": 2, "at_most": 10},
            before={"text": ["fine", "x", "far too long a text", "good", None]},
            after={"passed": [False], "value": [0.5], "limit": [0.0]},
        ),
        Example(
            title="Words, with a few exceptions",
            options={"column": "body", "at_most": 2, "unit": "words", "share_outside": 0.5},
            before={"body": ["one two three", "one two"]},
            after={"passed": [True], "value": [0.5], "limit": [0.5]},
        ),
    )

    _limits_fit = model_validator(mode="after")(limits_fit)

    def find(self, view: View) -> Finding:
        """Measure the share of texts outside."""
        column = str(self.column)
        text = text_of(column)
        length = text.str.len_chars() if self.unit == "characters" else text.str.count_matches(r"\S+")
        outside = pl.lit(False)
        if self.at_least is not None:
            outside |= length < self.at_least
        if self.at_most is not None:
            outside |= length > self.at_most
        there = ~is_missing(column, blank=False)
        ends = view.rows.filter(there).select(low=length.min(), high=length.max()).collect(engine="streaming").row(0)
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        expected = " and ".join(f"{word} {limit:,}" for word, limit in bounds if limit is not None)
        spans = f", and they have {ends[0]:,} to {ends[1]:,}" if None not in ends else ""
        return share_finding(
            self,
            view,
            judged=there,
            blamed=outside,
            limit=self.share_outside,
            what=f"texts of {column} lie outside: {expected} {self.unit} are expected{spans}",
        )
