"""What models say of the same rows, side by side, for people to read."""

from __future__ import annotations

from pydantic import Field

from .record import Record


class SampledAnswer(Record):
    """What one model says of a row."""

    model: str
    text: str = Field(description="Excerpt, personal data masked.")
    score: float | None = Field(None, description="The deciding metric on this row alone, where it has a value.")


class SampledRow(Record):
    """A row that was drawn, what is right, and what each model says."""

    row: str
    text: str = Field(description="What was asked, or the beginning of a text; excerpt, personal data masked.")
    truth: str = Field(description="What is right, or how the text goes on; excerpt, personal data masked.")
    answers: tuple[SampledAnswer, ...]


class SideBySide(Record):
    """Rows drawn by a seed, whatever models make of them: unlike mistakes, they show what is usual."""

    split: str
    of: int = Field(description="Rows that they were drawn from.")
    seed: int
    metric: str | None = Field(None, description="What each answer was scored by; none of texts that were continued.")
    continued: bool = Field(description="Whether models wrote how texts go on, each token drawn by its chance.")
    rows: tuple[SampledRow, ...]
    silent: tuple[str, ...] = Field((), description="Models that cannot write, and say only how likely a text is.")
