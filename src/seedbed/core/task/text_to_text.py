"""One text in, another out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.values import text_of

from .task import WHAT, Says, Task, first_of, no_text


class TextToText(Task):
    """One text in, another out: a translation, a summary, a reply.

    ## Why
    What a sequence-to-sequence model learns from; chat models are tuned on the same pairs, written as turns.

    ## Limits
    A row without a text (`no_text`) or without a target (`no_target`) is rejected. Rows whose texts are alike stay in
    one split, whatever their targets; check targets with `near_duplicates` on that column.
    """

    says: ClassVar[Says] = "text"

    kind: Literal["text_to_text"] = Field("text_to_text", description=WHAT)
    text: str = Field(min_length=1, description="Column that holds the text.")
    target: str = Field(min_length=1, description="Column that holds the text to write.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            options={"text": "en", "target": "de"},
            before={"en": ["good day", "good night", " "], "de": ["guten Tag", None, "gute Nacht"]},
            after={"refused": [None, "no_target", "no_text"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """Text and target."""
        return {"text": self.text, "target": self.target}

    def work(self) -> pl.Expr:
        """Only a reason; the columns stay as they are."""
        return pl.struct(reason=first_of(("no_text", no_text(self.text)), ("no_target", no_text(self.target))))

    def measures(self) -> Mapping[str, pl.Expr]:
        """How long the target is, and against the text."""
        length, given = text_of(self.target).str.len_chars(), text_of(self.text).str.len_chars()
        return {"target characters": length, "target characters per character of the text": length / given}
