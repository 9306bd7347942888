"""Texts whose next words are learned."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example

from .task import WHAT, Says, Task, first_of, no_text


class CausalLm(Task):
    """Texts whose next words a language model learns to tell: continued pretraining on documents of a field.

    A row is a document. Documents are dealt to splits whole; they are cut into blocks of tokens afterwards, so that no
    document straddles splits.

    ## Why
    Perplexity on text that the model has seen is worth nothing, and web text repeats itself: near copies stay in one
    split here as everywhere.

    ## Limits
    A row without a text (`no_text`) is rejected. Passages that two documents share are found only where the documents
    as wholes are alike: see `near_duplicates` and `decontaminate` for parts of texts.
    """

    says: ClassVar[Says] = "itself"

    kind: Literal["causal_lm"] = Field("causal_lm", description=WHAT)
    text: str = Field(min_length=1, description="Column that holds the document.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            options={"text": "text"},
            before={"text": ["once upon", "", None]},
            after={"refused": [None, "no_text", "no_text"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """The text."""
        return {"text": self.text}

    def work(self) -> pl.Expr:
        """Only a reason; the text stays as it is."""
        return pl.struct(reason=first_of(("no_text", no_text(self.text))))
