"""prompted: a language model behind an endpoint, told what to do in words and by a few examples."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field, field_validator

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.sending import Service
from seedbed.core.task import Task
from seedbed.core.templates import names_in

from .example_rows import MESSAGES
from .prompting.asking import How
from .prompting.model import PromptedModel
from .prompting.options import KINDS, AskingOptions
from .prompting.reading import Reading
from .prompting.rows import Choose, Reader, Showing, Shown, answers_of, balanced, instead_of, pool_of
from .prompting.wording import KNOWN, PROMPT, Wording
from .target_numbers import numbers_of
from .target_sets import coded

#: What is said where there are no labels.
_NONE = "none"


class Prompted(AskingOptions, Learner):
    """Asks a language model for each row's answer, with no example or a few of them in the prompt.

    Any endpoint that speaks the OpenAI protocol will do, on this machine or elsewhere. `prompt` is a Jinja template
    that knows `text`, `labels` (each with `name` and `description`), `says`, `examples` (training rows, each with
    `text` and `answer`) and `form` (what the answer must look like, in words). The answer is JSON by a schema, which a
    server that can be told so is told. Examples are `balanced` (the same in each prompt, each label as often as the
    others) or the `nearest` to the text (TF-IDF; Liu et al. 2022, "What Makes Good In-Context Examples for GPT-3?"),
    the nearest last.

    Each answer is kept in the store under what was asked, so that a run that is made again asks nothing, and one that
    was cut goes on. Of one label, probabilities come from those of the answer's tokens, where the endpoint tells them;
    else `smoothing` is dealt to all labels alike, and the label that was said gets the rest.

    ## Why
    It needs no training rows to speak of, and is what many would do without a dataset: so one wants to know whether a
    model that was trained on the rows is better, and by how much.

    ## Limits
    The rows' texts, and the examples', go to the endpoint. Where that is on another machine, the recipe says under
    `may_send` why they may, and the report and the card say which rows went there. An answer that is none of the labels
    counts as the most frequent one (of numbers as the median), which is told. The model behind an endpoint may change
    under its name: what makes a run repeatable is what was kept. Caps count what one run spends, a call with the most
    tokens that it can be. The model that is saved holds the prompt, the address, and the name of the variable with the
    key, and no training row unless `keep_examples` says so: without them it works where the run's store is. A language
    model may have read public test rows before. Temperatures above 0 make answers that are asked for anew differ.
    """

    extra: ClassVar[str] = "generate"
    needs: ClassVar[tuple[str, ...]] = ("openai", "jsonschema")
    learns: ClassVar[tuple[str, ...]] = KINDS
    model: ClassVar[type[Model[Any]]] = PromptedModel

    use: Literal["prompted"] = "prompted"
    endpoint: str = Field(min_length=1, description="Base address of the endpoint, such as `http://127.0.0.1:8000/v1`.")
    model_name: str = Field(min_length=1, description="Name of the model there.")
    prompt: str = Field(PROMPT, min_length=1, description="Jinja template of what is asked.")
    system: str = Field("", description="What the model is told before, as it stands.")
    descriptions: dict[str, str] = Field(default_factory=dict, description="What labels mean, as LABEL: MEANING.")
    show: int = Field(0, ge=0, le=100, description="Training rows that a prompt shows.")
    choose: Choose = Field("balanced", description="Which training rows are shown.")
    pool: int = Field(2000, ge=1, le=100_000, description="Training rows of which the nearest are shown.")
    keep_examples: bool = Field(
        False, description="Whether the training rows that may be shown are part of the saved model."
    )
    most_characters: int = Field(8000, ge=1, description="Characters of a text after which it is cut.")
    answer: Literal["json", "text"] = Field(
        "json", description="`text`: the whole answer is the label, for models that cannot do JSON."
    )
    response_format: Literal["auto", "json_schema", "json_object", "none"] = Field(
        "auto",
        description="How the server is told what to answer; `auto` tries a JSON Schema and takes no for an answer.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two examples in each prompt",
            options={"endpoint": "http://127.0.0.1:8000/v1", "model_name": "small", "show": 2},
            before=MESSAGES,
            after={"predicted": MESSAGES["label"]},
        ),
    )

    @field_validator("prompt")
    @classmethod
    def _is_a_template(cls, prompt: str) -> str:
        from jinja2 import TemplateSyntaxError

        try:
            names = names_in(prompt)
        except TemplateSyntaxError as error:
            raise ValueError(f"is no template: {error.message} (its line {error.lineno})") from None
        unknown = [name for name in names if name not in KNOWN]
        if unknown:
            raise ValueError(f"names {unknown[0]!r}, which is not known: {did_you_mean(unknown[0], KNOWN)}")
        if "text" not in names:
            raise ValueError("does not name `text`, so that every row is asked about alike")
        return prompt

    def services(self) -> tuple[Service, ...]:
        """The endpoint."""
        return (Service(self.endpoint, self.may_send or ""),)

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> PromptedModel:
        """Choose the training rows that are shown. Nothing is asked yet, and validation rows are not used.

        Raises:
            DataError: There are too few rows, or one label or number only.
            RecipeError: A label is described that the task does not have.
            MissingExtraError: A package is not installed.
        """
        self.check_needs()
        labels: tuple[str, ...] = ()
        if task.says == "number":
            numbers_of(train, task)
        else:
            labels = coded(train, task).labels
        unknown = [label for label in self.descriptions if label not in labels]
        if unknown:
            hint = did_you_mean(unknown[0], labels)
            raise RecipeError(f"{unknown[0]!r} is no label", at=f"{self.use}.descriptions", hint=hint)
        reader = Reader.of(train, task, self.most_characters)
        reading = Reading(task.says, labels, self.answer == "text", none=_NONE, smoothing=self.smoothing)
        model = PromptedModel(
            how=How.of(
                self.endpoint, self.model_name, self, self._told, logprobs=self.logprobs and task.says == "label"
            ),
            reading=reading,
            reader=reader,
            wording=Wording(prompt=self.prompt, system=self.system, descriptions=self.descriptions),
            instead=instead_of(train, task, labels),
            showing=Showing(self.show, self.choose, self.keep_examples),
            shown=self._shown(reader(train), answers_of(train, task), reading, context.seed),
        )
        model.use_store(context.store)
        return model

    @property
    def _told(self) -> str:
        return "none" if self.answer == "text" else self.response_format

    def _shown(self, texts: list[str], answers: list[Any], reading: Reading, seed: int) -> Shown | None:
        if not self.show:
            return None
        if self.choose == "nearest":
            return pool_of(texts, answers, self.pool, seed)
        every = pool_of(texts, answers, len(texts), seed)
        return balanced(every, self.show, reading.says, reading.labels)
