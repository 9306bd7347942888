"""Where asking stops: calls, tokens, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.numbers import things

from .answers import Usage

#: Fields of a request that no recipe may add: with them a call would ask for, or cost, what no other option says.
_SAID = "the recipe's other options say what is asked"
_COUNTED = "`answer_tokens` says that, under the name that `limit_as` gives, and the caps count by it"
_SEVERAL = "a call would be paid for several answers, of which one is read"
_NOT_ADDED = {
    "model": _SAID,
    "messages": _SAID,
    "max_tokens": _COUNTED,
    "max_completion_tokens": _COUNTED,
    "n": _SEVERAL,
    "best_of": _SEVERAL,
    "stream": "answers are read whole",
}
#: Fields that are counted, or short.
_KNOWN = {*_NOT_ADDED, "seed", "temperature", "logprobs", "top_logprobs"}


def only_further(also_send: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fields that a recipe adds to each request, if they leave what is asked, and what it can cost, as it was.

    Raises:
        ValueError: One does not.
    """
    for name, value in also_send.items():
        why = _NOT_ADDED.get(name)
        if why is not None and not (why is _SEVERAL and value == 1):
            raise ValueError(f"`{name}` cannot be sent besides: {why}")
    return also_send


class Price(BaseModel):
    """What tokens cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: float = Field(ge=0, description="A million tokens of prompts, in the currency of `most_cost`.")
    answer: float = Field(ge=0, description="A million tokens of answers.")


@dataclass(frozen=True)
class Caps:
    """Where to stop: calls, tokens, and what they cost at a price per million tokens; nowhere where there is none."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None
    prices: tuple[float, float] = (0.0, 0.0)
    """Of the prompt's tokens and of the answer's."""

    def price(self, used: Usage) -> float:
        """What tokens cost."""
        return (used.prompt * self.prices[0] + used.answer * self.prices[1]) / 1e6

    def met(self, requests: int, most: Usage, spent: Usage) -> str:
        """The cap that so many calls and tokens would go beyond; nothing where they may be.

        Args:
            requests: Calls, with the next.
            most: Tokens, with the most that the next can be.
            spent: Tokens so far, for the message.
        """
        if self.requests is not None and requests > self.requests:
            return f"stopped at most_requests: {self.requests:,}"
        if self.tokens is not None and most.tokens > self.tokens:
            return f"stopped at most_tokens: {self.tokens:,} ({spent.tokens:,} spent)"
        if self.cost is not None and self.price(most) > self.cost:
            return f"stopped at most_cost: {self.cost:g} ({self.price(spent):.4g} spent)"
        return ""


@dataclass
class Meter:
    """What was paid for so far."""

    requests: int = 0
    spent: Usage = field(default_factory=Usage)
    uncounted: int = 0
    """Answers that did not say their tokens, and count with the most that they can be."""

    def take(self, used: Usage | None, most: Usage) -> None:
        """One answer more.

        Args:
            used: Its tokens, if it says them.
            most: The most that they can be.
        """
        self.requests += 1
        self.uncounted += used is None
        self.spent += used or most

    def uncounted_said(self) -> str:
        """What a person should know of answers that did not say their tokens; nothing where there are none."""
        if not self.uncounted:
            return ""
        many = things(self.uncounted, "answer does", "answers do")
        return f"{many} not say how many tokens were used: the most that can be is counted"


def most_of(body: Mapping[str, Any]) -> Usage:
    """More tokens than a prompt and its answer can have: one is never less than a byte."""
    said = sum(len(one["content"].encode()) + 16 for one in body["messages"])
    more = {name: value for name, value in body.items() if name not in _KNOWN}  # tools, say, are read as a prompt is
    said += len(json.dumps(more, default=str).encode()) if more else 0
    return Usage(said + 64, int(body.get("max_tokens") or body.get("max_completion_tokens") or 0))
