"""What lets a run be published, and what does not: gates, waivers, answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seedbed.core.record import Record


class GateRecord(Record):
    """A gate and whether it was passed."""

    metric: str
    split: str
    model: str | None
    passed: bool
    value: float | None
    low: float | None = None
    high: float | None = None
    limit: float
    direction: Literal["at_least", "at_most"]
    waived: str | None = Field(None, description="The reason, where the gate failed and a person waived it.")


class Waived(Record):
    """Something that would have stopped publishing, and that a person let pass."""

    what: str = Field(description="`check NAME`, `gate METRIC on SPLIT`, `question KEY` or `licences`.")
    reason: str


class StaleAnswer(Record):
    """An answer of the card that was given about other data."""

    question: str = Field(description="Its key in `card.yaml`.")
    run: str = Field(description="The run that it was given about.")
    when: str = Field(description="When (ISO 8601, UTC).")
    changes: tuple[str, ...] = Field(description="What moved since, a sentence each.")
