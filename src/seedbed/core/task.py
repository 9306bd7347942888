"""What the model is to do: the columns it reads, the column it predicts, and which rows it can use."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field


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
        text, label = pl.col(self.text).cast(pl.String), pl.col(self.label).cast(pl.String)
        refused = (
            pl.when(label.is_null() | (label.str.strip_chars() == ""))
            .then(pl.lit("unlabelled"))
            .when(text.is_null() | (text.str.strip_chars() == ""))
            .then(pl.lit("no_text"))
        )
        if self.labels:
            refused = refused.when(~label.is_in(list(self.labels))).then(pl.lit("unknown_label"))
        return refused.otherwise(None)


Task = TextClassification
