"""What the model is to do: the columns it reads, the column it predicts, and which rows it can use."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from .values import is_missing, text_of


class TextClassification(BaseModel):
    """One text in, one of several labels out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["text_classification"] = Field(description="What the model is to do.")
    text: str = Field(min_length=1, description="Column that holds the text.")
    label: str = Field(min_length=1, description="Column that holds the label.")
    labels: tuple[str, ...] | None = Field(
        None, min_length=2, description="The labels in order; read off the data, sorted, when left out."
    )

    @property
    def roles(self) -> dict[str, str]:
        """Columns by what they are to the task."""
        return {"text": self.text, "label": self.label}

    def refusal(self) -> pl.Expr:
        """Why a row cannot be used for this task; null for a row that can."""
        label = text_of(self.label)
        refused = (
            pl.when(is_missing(self.label))
            .then(pl.lit("unlabelled"))
            .when(is_missing(self.text) | ~text_of(self.text).str.contains(r"[^\s\x1c-\x1f\x85]").fill_null(False))
            .then(pl.lit("no_text"))
        )
        if self.labels:
            refused = refused.when(~label.is_in(list(self.labels))).then(pl.lit("unknown_label"))
        return refused.otherwise(None)


Task = TextClassification
