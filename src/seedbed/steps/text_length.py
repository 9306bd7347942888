"""text_length: keep texts that are long and short enough."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.limits import limits_fit
from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Filter
from seedbed.core.values import text_of

from .mending.some_rows import matching

_WORD = r"\S+"
#: So many words are found faster by one pattern for all of them than by counting.
_SOON_FOUND = 50


class TextLength(Filter):
    """Rejects texts that are too short or too long (reasons `too_short`, `too_long`).

    ## Why
    Texts of a few characters are mostly remains of something else, and very long ones are often several records that
    ran together.

    ## Limits
    Characters are Unicode code points, blanks included, so an emoji may count several; words are what whitespace
    parts, so a text in a script without spaces counts as one. A missing text is rejected as `cannot_tell`.
    """

    use: Literal["text_length"] = "text_length"
    column: TextColumn = Field(None, description="Column to measure; the task's text when left out.")
    at_least: int | None = Field(None, ge=0, description="Fewest that a text may have.")
    at_most: int | None = Field(None, ge=0, description="Most that a text may have.")
    unit: Literal["characters", "words"] = Field("characters", description="What is counted.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Between 3 and 8 characters",
            options={"at_least": 3, "at_most": 8},
            before={"text": ["ok", "fine", "far too long", "été", None]},
            after={"text": ["fine", "été"]},
        ),
        Example(
            title="At least two words",
            options={"column": "body", "at_least": 2, "unit": "words"},
            before={"body": ["one", " two  words ", ""]},
            after={"body": [" two  words "]},
        ),
    )

    _limits_fit = model_validator(mode="after")(limits_fit)

    def keep(self) -> pl.Expr:
        """True within the limits; null for a missing text."""
        keep = pl.lit(True) if self.at_least is None else self._has(self.at_least)
        if self.at_most is not None:
            keep &= ~self._has(self.at_most + 1)
        return pl.when(pl.col(str(self.column)).is_not_null()).then(keep)

    def reason(self) -> pl.Expr:
        """`too_short` or `too_long`."""
        if self.at_least is None:
            return pl.lit("too_long")
        return pl.when(self._length() < self.at_least).then(pl.lit("too_short")).otherwise(pl.lit("too_long"))

    def evidence(self) -> Mapping[str, pl.Expr]:
        """The length."""
        return {"length": self._length()}

    def _has(self, fewest: int) -> pl.Expr:
        """Whether a text has so many; it is not counted further than it takes to know."""
        if self.unit == "characters" or not fewest:
            return self._length() >= fewest
        return text_of(str(self.column)).map_batches(partial(_has_words, fewest), return_dtype=pl.Boolean)

    def _length(self) -> pl.Expr:
        text = text_of(str(self.column))
        return text.str.len_chars() if self.unit == "characters" else text.str.count_matches(_WORD)


def _has_words(fewest: int, texts: pl.Series) -> pl.Series:
    # Each word but the last takes two bytes or more, with the blank after it.
    long_enough = texts.str.len_bytes() >= 2 * fewest - 1
    if fewest <= _SOON_FOUND:
        return matching(texts, rf"\A\s*(?:\S+\s+){{{fewest - 1}}}\S", long_enough)
    rows = long_enough.fill_null(False).arg_true()
    found = pl.Series([False]).new_from_index(0, texts.len())
    return found.scatter(rows, texts.gather(rows).str.count_matches(_WORD) >= fewest) if rows.len() else found
