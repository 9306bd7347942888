"""character_share: keep texts that consist of letters (or digits, capitals, …) to the right degree."""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from seedbed.core.limits import limits_fit
from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Filter
from seedbed.core.values import text_of

from .mending.some_rows import beyond_ascii
from .values.in_bytes import others_than

#: Of each kind: its characters in ASCII, and a pattern for one that is not of it; none where all are ASCII.
_KINDS: Mapping[str, tuple[str, str | None]] = {
    "letters": (string.ascii_letters, r"[^\p{L}\p{M}]"),
    "ascii_letters": (string.ascii_letters, None),
    "capitals": (string.ascii_uppercase, r"\P{Lu}"),
    "digits": (string.digits, r"\P{Nd}"),
    "whitespace": (string.whitespace, r"\S"),
    "signs": (string.punctuation, r"[^\p{P}\p{S}]"),
    "ascii": ("".join(map(chr, range(128))), None),
}


class CharacterShare(Filter):
    """Rejects texts with too small or too large a share of letters, digits, capitals … (`too_few`, `too_many`).

    The share is the number of such characters over the number of all characters, blanks included.

    ## Why
    Tables, price lists, menus and remains of code are long enough and hold words, but few letters; shouting is mostly
    capitals. Such shares are among the filters of most corpora of web text (Rae et al., "Gopher", 2021; Raffel et al.,
    "C4", 2020).

    ## Limits
    Of ordinary English prose some four fifths are letters; look at rejected rows in the ledger before you trust a
    limit. `letters` are those of every script with their marks, `signs` are punctuation and symbols; `ascii_letters`
    rejects what is not written in Latin letters. An empty text has no share and is rejected as `cannot_tell`, like a
    missing one.
    """

    use: Literal["character_share"] = "character_share"
    column: TextColumn = Field(None, description="Column to measure; the task's text when left out.")
    of: Literal["letters", "ascii_letters", "capitals", "digits", "whitespace", "signs", "ascii"] = Field(
        "letters", description="The characters that are counted."
    )
    at_least: float | None = Field(None, ge=0, le=1, description="Smallest share that a text may have.")
    at_most: float | None = Field(None, ge=0, le=1, description="Largest share that a text may have.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Half of it letters",
            options={"at_least": 0.5},
            before={"text": ["fine", "3.99 | 4.99 | kg", "Это не спам", "", None]},
            after={"text": ["fine", "Это не спам"]},
        ),
        Example(
            title="No shouting",
            options={"column": "body", "of": "capitals", "at_most": 0.5},
            before={"body": ["BUY NOW!!!", "I see."]},
            after={"body": ["I see."]},
        ),
    )

    _limits_fit = model_validator(mode="after")(limits_fit)

    def keep(self) -> pl.Expr:
        """True within the limits; null for a missing or empty text."""
        length, count = self._length(), self._count()
        keep = pl.lit(True)
        if self.at_least is not None:
            keep &= count >= self.at_least * length
        if self.at_most is not None:
            keep &= count <= self.at_most * length
        return pl.when(length > 0).then(keep)

    def reason(self) -> pl.Expr:
        """`too_few` or `too_many`."""
        if self.at_least is None:
            return pl.lit("too_many")
        few = self._count() < self.at_least * self._length()
        return pl.when(few).then(pl.lit("too_few")).otherwise(pl.lit("too_many"))

    def evidence(self) -> Mapping[str, pl.Expr]:
        """What was counted, and its share."""
        share = pl.when(self._length() > 0).then(self._count() / self._length())
        return {"of": pl.lit(self.of), "share": share.round(4)}

    def _length(self) -> pl.Expr:
        return text_of(str(self.column)).str.len_chars()

    def _count(self) -> pl.Expr:
        return text_of(str(self.column)).map_batches(partial(_counted, self.of), return_dtype=pl.Int64)


def _counted(kind: str, texts: pl.Series) -> pl.Series:
    """Characters of a kind in each text; whatever for null."""
    characters, other = _KINDS[kind]
    wanted = np.zeros(256, bool)
    wanted[[ord(character) for character in characters]] = True
    counts = texts.str.len_bytes().fill_null(0).cast(pl.Int64) - others_than(wanted, texts)
    rows = beyond_ascii(texts).fill_null(False).arg_true()
    if other is None or not rows.len():
        return counts
    some = texts.gather(rows)
    return counts.scatter(rows, some.str.len_chars().cast(pl.Int64) - some.str.count_matches(other).cast(pl.Int64))
