"""A measured value with its interval. Whoever lists runs reads it, and needs nothing of what measures."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Score(BaseModel):
    """A metric's value with its interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int = Field(description="Rows that it was measured on.")
