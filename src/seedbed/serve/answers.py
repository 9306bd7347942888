"""What the JSON API takes and gives, typed by what the model's task answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.task import Says

from .limits import MOST_ROWS
from .predictor import sureness

Value = str | int | float | bool | None


class Said(BaseModel):
    """A turn of a conversation, as OpenAI (`role`, `content`) or ShareGPT (`from`, `value`) writes it."""

    model_config = ConfigDict(extra="allow")

    role: str | None = Field(None, description="Who speaks: `user`, `assistant`, `system`, `tool`.")
    content: str | None = Field(None, description="What is said.")


class Asked(BaseModel):
    """What a request asks: one text, where the model reads one column, or rows."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    text: str | None = Field(None, description="A text, for a model that reads one column.")
    rows: list[dict[str, Value]] | None = Field(None, description=f"Rows, at most {MOST_ROWS:,}: COLUMN to value.")


class AskedInTurns(BaseModel):
    """What a request asks: what one user says, or rows with turns that end with the user."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    text: str | None = Field(None, description="What a user says.")
    rows: list[dict[str, Value | list[Said]]] | None = Field(
        None, description=f"Rows, at most {MOST_ROWS:,}: COLUMN to value; turns as a list, or as one text of the user."
    )


class Answered(BaseModel):
    """What every answer tells of its row."""

    read: str = Field(description="The text that the model read, after the steps.")
    warnings: list[str] = Field(description="What is odd about the row.")


class Label(Answered):
    """One of the labels."""

    predicted: str
    confidence: float = Field(description="Probability of that label.")
    sure: str = Field(description="The confidence in words.")
    probabilities: dict[str, float] = Field(description="By label, in the task's order.")
    set: list[str] | None = Field(
        None, description="Labels that hold the right one as often as the model promises, the most probable first."
    )
    decided: str | None = Field(None, description="The label at the threshold, where one was chosen.")


class Labels(Answered):
    """Any number of the labels."""

    predicted: list[str] = Field(description="The labels whose probability is 0.5 or more.")
    probabilities: dict[str, float] = Field(description="By label, each by itself, in the task's order.")
    decided: list[str] | None = Field(None, description="The labels at the thresholds, where they were chosen.")


class Number(Answered):
    """A number."""

    predicted: float
    low: float | None = Field(None, description="Lower end of what holds the right number as often as promised.")
    high: float | None = Field(None, description="Upper end.")


class Span(Answered):
    """A place in a text."""

    predicted: str | None = Field(description="The answer; null where the text does not answer.")
    start: int | None = Field(description="Where it starts in `context`, in characters.")
    confidence: float | None = Field(description="How sure the model is, from 0 to 1.")
    sure: str = Field(description="The confidence in words.")
    context: str = Field(description="The text that `start` counts in: after the steps.")


class Text(Answered):
    """A text, or what the assistant says next."""

    predicted: str


class Likelihood(Answered):
    """How likely the text is to a language model."""

    nats: float = Field(description="Minus the log-likelihood of the text.")
    tokens: int = Field(description="The tokens that it is of.")
    perplexity: float | None = Field(
        description="How many tokens the model wavered between, on average; null beyond what a number holds."
    )


_ANSWERS: Mapping[Says, type[Answered]] = {
    "label": Label,
    "labels": Labels,
    "number": Number,
    "spans": Span,
    "text": Text,
    "turns": Text,
    "itself": Likelihood,
}

_Answer = TypeVar("_Answer", bound=Answered)


class Answers(BaseModel, Generic[_Answer]):
    """Answers in the order of the rows."""

    model: str
    version: str = Field(description="SHA-256 of the model's bundle.json.")
    request: str = Field(
        description="Name of the request; in the log of predictions its rows are REQUEST#0, REQUEST#1, …"
    )
    predictions: list[_Answer]
    not_for_publication: list[str] = Field(description="What stands in the way of showing this model to others.")


def asked_as(says: Says) -> type[BaseModel]:
    """What a request holds."""
    return AskedInTurns if says == "turns" else Asked


def answered_as(says: Says) -> type[Answered]:
    """What a row is answered with."""
    return _ANSWERS[says]


def answered(says: Says, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `Predictor.predict` as it is given away: what `answered_as` describes, null where it is not known."""
    told = {name: row.get(name) for name in answered_as(says).model_fields}
    if says in ("label", "spans"):
        told["sure"] = "" if row["confidence"] is None else sureness(row["confidence"])
    if says == "itself":
        each = row["nats"] / max(row["tokens"], 1)
        told["perplexity"] = math.exp(each) if each < _HIGHEST else None
    return told


#: Nats a token whose exponential a float still holds.
_HIGHEST = 700.0
