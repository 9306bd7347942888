"""Options of learners whose model is asked, at any endpoint that speaks the OpenAI protocol."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from seedbed.core.asking.caps import Price, only_further

#: What every such learner can say of: a label, labels, or a number.
KINDS = (
    "text_classification",
    "multi_label_classification",
    "regression",
    "tabular_classification",
    "tabular_regression",
)


class CallingOptions(BaseModel):
    """How a model behind an endpoint is called, and where that stops."""

    api_key: str | None = Field(
        None, pattern=r"^\$\{env:\w+\}$", description="The key as `${env:NAME}`: never the key itself."
    )
    temperature: float | None = Field(0.0, ge=0, le=2, description="How freely the model answers; null sends none.")
    answer_tokens: int = Field(256, ge=1, description="Most tokens of an answer.")
    limit_as: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What the server calls that."
    )
    also_send: Annotated[dict[str, Any], AfterValidator(only_further)] = Field(
        default_factory=dict, description="Further fields of each request, such as `seed`, as the server has them."
    )
    may_send: str | None = Field(
        None,
        min_length=1,
        description="Why the rows' texts may go to an endpoint on another machine, such as a contract, or that all of "
        "it is public: needed there, and printed in the report and on the card.",
    )
    price: Price | None = Field(None, description="What tokens cost: {prompt: …, answer: …}.")
    most_cost: float | None = Field(None, gt=0, description="Stop before a run spends more than this; needs `price`.")
    most_tokens: int | None = Field(None, ge=1, description="Stop before a run uses more tokens.")
    most_requests: int | None = Field(None, ge=1, description="Stop before a run makes more calls.")
    parallel: int = Field(4, ge=1, le=16, description="Calls at a time.")
    timeout: float = Field(120, gt=0, description="Seconds that a call may take.")
    retries: int = Field(5, ge=0, le=20, description="Of a call that fails for now (429, 5xx, a broken connection).")

    @model_validator(mode="after")
    def _cost_has_a_price(self) -> Self:
        if self.most_cost is not None and self.price is None:
            raise ValueError("`most_cost` needs the `price` of tokens")
        return self

    @property
    def sent(self) -> dict[str, Any]:
        """Fields of each request, but for the model and the messages."""
        freely = {} if self.temperature is None else {"temperature": self.temperature}
        return {**freely, self.limit_as: self.answer_tokens, **self.also_send}


class AskingOptions(CallingOptions):
    """How it is asked, and where asking stops."""

    logprobs: bool = Field(
        True, description="Whether to ask how sure the model is of its words, where the answer is one label."
    )
    smoothing: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of the probability that is dealt to all labels alike, where the endpoint does not say how "
        "sure the model is.",
    )
