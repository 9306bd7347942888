"""The card as the page asks for it: who fills it in and where it stands is somebody else's matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from seedbed.publish.papers.standing import CardState

#: Characters of an answer.
MOST_ANSWER = 100_000


class Card(Protocol):
    """A card that people fill in."""

    def state(self) -> CardState:
        """How it stands now."""

    def answer(self, key: str, typed: str, was: str | None = None) -> CardState:
        """Write what somebody typed, unless the answer is no longer the one that they saw."""

    def confirm(self, keys: Sequence[str]) -> CardState:
        """Note that answers hold for this run, too."""


class Answered(BaseModel):
    """What a person answers."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key: str = Field(max_length=100)
    text: str = Field(max_length=MOST_ANSWER)
    was: str = Field(max_length=MOST_ANSWER, description="The answer that they saw.")


class Confirmed(BaseModel):
    """An answer that still holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key: str = Field(max_length=100)
