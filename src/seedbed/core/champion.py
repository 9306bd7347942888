"""Which run stands for a recipe's name."""

from __future__ import annotations

from pydantic import Field

from .record import Record


class Promotion(Record):
    """A run that was made champion."""

    run: str = Field(description="The run's id.")
    when: str = Field(description="ISO 8601, UTC.")
    why: str = Field(description="What spoke for it.")
    undone: str | None = Field(None, description="When it was rolled back; nothing while it was not.")
    undone_why: str | None = None
