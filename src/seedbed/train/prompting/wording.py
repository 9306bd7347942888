"""What a model is asked: a template filled in for one row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from seedbed.core.errors import RecipeError
from seedbed.core.templates import template_of

from .reading import KEY, Reading

#: What a template is given.
KNOWN = ("text", "labels", "says", "examples", "form")
#: Characters of the longest prompt.
_LONGEST = 200_000

PROMPT = """\
{% if says == "number" %}
Tell the number that belongs to the text.
{% elif says == "labels" %}
Tell all labels that fit the text. There may be none.
{% else %}
Tell the one label that fits the text best.
{% endif %}
{% if labels %}

Labels:
{% for one in labels %}
- {{ one.name }}{% if one.description %}: {{ one.description }}{% endif %}

{% endfor %}
{% endif %}

{{ form }}

{% for one in examples %}
Text: {{ one.text }}
Answer: {{ one.answer }}

{% endfor %}
Text: {{ text }}
Answer:"""


class Wording(BaseModel):
    """Asks for what a row says.

    Attributes:
        prompt: Jinja template of what the user says.
        system: What the system says before, as it stands.
        descriptions: What labels mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = PROMPT
    system: str = ""
    descriptions: dict[str, str] = {}

    def conversations(
        self, rows: pl.DataFrame, texts: Sequence[str], near: Sequence[Sequence[tuple[str, Any]]], reading: Reading
    ) -> list[tuple[Mapping[str, str], ...]]:
        """What is said to the model about each row.

        Args:
            rows: They.
            texts: What they say.
            near: The examples that each is shown with: texts, and what is right there.
            reading: Reads the answers.

        Raises:
            RecipeError: The template fails, or a prompt is too long.
        """
        return [self.messages(text, shown, reading) for text, shown in zip(texts, near, strict=True)]

    def messages(
        self, text: str, examples: Sequence[tuple[str, Any]], reading: Reading
    ) -> tuple[Mapping[str, str], ...]:
        """What is said to the model about a row.

        Args:
            text: The row.
            examples: Texts, and what is right there.
            reading: Reads the answer.

        Raises:
            RecipeError: The template fails, or the prompt is too long.
        """
        form = form_said(reading)
        told = {
            "text": text,
            "labels": [{"name": name, "description": self.descriptions.get(name, "")} for name in reading.labels],
            "says": reading.says,
            "examples": [{"text": one, "answer": answer_said(answer, reading)} for one, answer in examples],
            "form": form,
        }
        said = self._filled(told)
        if form not in said:
            said += f"\n\n{form}"
        if len(said) > _LONGEST:
            raise RecipeError(
                f"the prompt has {len(said):,} characters, and may have {_LONGEST:,}",
                at="prompt",
                hint="show fewer examples, or a smaller most_characters",
            )
        system = ({"role": "system", "content": self.system},) if self.system else ()
        return (*system, {"role": "user", "content": said})

    def _filled(self, told: Mapping[str, Any]) -> str:
        from jinja2 import TemplateError

        try:
            return str(self._template.render(**told))
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            said = str(error).partition("\n")[0][:200]
            raise RecipeError(
                f"the template cannot be filled in: {said}", at="prompt", hint=f"known are {', '.join(KNOWN)}"
            ) from None

    @cached_property
    def _template(self) -> Any:
        return template_of(self.prompt)


def form_said(reading: Reading) -> str:
    """What the answer must look like, in words."""
    if not reading.plain:
        return f"Answer with JSON alone, as this JSON Schema says: {json.dumps(reading.form.schema)}"
    return {
        "label": "Answer with the label alone.",
        "labels": f"Answer with the labels alone, with commas between them; {reading.none!r} where there are none.",
        "number": "Answer with the number alone.",
    }[reading.says]


def answer_said(answer: Any, reading: Reading) -> str:
    """An answer as the model is to say it."""
    if not reading.plain:
        return json.dumps({KEY: answer}, ensure_ascii=False)
    return (", ".join(answer) or reading.none) if isinstance(answer, list) else str(answer)
