"""`evaluate.judged_by`: who judges which of two answers is better."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.train.prompting.options import CallingOptions

CRITERIA = (
    "It is right, it does what was asked for, and it says nothing wrong or needless besides. Length alone is no merit, "
    "and neither is style."
)


class JudgedBy(CallingOptions, BaseModel):
    """A language model behind an endpoint that is shown two answers at a time, twice, with their places swapped."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    endpoint: str = Field(min_length=1, description="Base address of the endpoint, such as `http://127.0.0.1:8000/v1`.")
    model_name: str = Field(min_length=1, description="Name of the model there; best one that is no model of `train`.")
    criteria: str = Field(CRITERIA, min_length=1, description="What makes an answer the better one, in words.")
    show_truth: bool = Field(False, description="Whether it is also shown what is right.")
    rows: int = Field(
        100, ge=1, le=10_000, description="Test rows, drawn by the seed; each pair of models takes two calls a row."
    )
    most_characters: int = Field(8000, ge=1, description="Characters of a text after which it is cut.")
    response_format: Literal["auto", "json_schema", "json_object", "none"] = Field(
        "auto",
        description="How the server is told what to answer; `auto` tries a JSON Schema and takes no for an answer.",
    )
