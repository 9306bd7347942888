"""What a model is asked: a template filled in for one call, always the same for the same seed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from seedbed.core import digest
from seedbed.core.asking.answers import Form, Usage
from seedbed.core.asking.caps import most_of
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.templates import names_in, template_of

from .examples import ExampleRow, drawn

#: Characters of the longest prompt.
LONGEST = 200_000
#: What a template is given.
KNOWN = ("label", "number", "rows", "seed", "examples")
_CAREFUL = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes:
        name: Its place in row ids.
        label: The class to write, where there are classes.
        body: What is sent, as JSON; but the form of the answer, which not every server can be told.
        shown: The example rows in the prompt.
    """

    name: str
    label: str | None
    body: Mapping[str, Any]
    shown: tuple[ExampleRow, ...]

    @cached_property
    def digest(self) -> str:
        """Of what is sent: an answer to the same is the answer to this."""
        return digest.of_json(dict(self.body))

    @property
    def most_tokens(self) -> Usage:
        """More tokens than the prompt and its answer can have."""
        return most_of(self.body)


@dataclass(frozen=True)
class Prompts:
    """Makes requests.

    Attributes:
        model: Its name at the endpoint.
        prompt: Jinja template of what the user says.
        system: What the system says; nothing where it is empty.
        form: What the answer must look like.
        sent: Further fields of each request.
        seed: Of everything that is drawn.
        pool: Example rows by class; under none where there are no classes.
        show: Example rows in a prompt.
    """

    model: str
    prompt: str
    system: str
    form: Form
    sent: Mapping[str, Any]
    seed: int
    pool: Mapping[str | None, Sequence[ExampleRow]]
    show: int

    def request(self, label: str | None, folder: str, number: int) -> Request:
        """The call of a number, from 1, for a class.

        Raises:
            RecipeError: The template fails, or the prompt is too long.
        """
        own = int.from_bytes(sha256(f"{self.seed}/{label}/{number}".encode()).digest()[:4], "big") >> 1
        shown = tuple(drawn(self.pool.get(label, ()), self.show, f"{self.seed}/{label}/{number}"))
        told = {
            "label": label,
            "number": number,
            "rows": self.form.many,
            "seed": own,
            "examples": [dict(one.values) for one in shown],
        }
        said = self._filled(told)
        if self.form.plain == "json":
            said += f"\n\nAnswer with JSON alone, as this JSON Schema says:\n{json.dumps(self.form.schema)}"
        if len(said) > LONGEST:
            raise RecipeError(
                f"the prompt has {len(said):,} characters, and may have {LONGEST:,}",
                at="prompt",
                hint="show fewer or shorter examples",
            )
        system = [{"role": "system", "content": self.system}] if self.system else []
        messages = [*system, {"role": "user", "content": said}]
        body = {"model": self.model, "messages": messages, "seed": own, **self.sent}
        return Request(f"{folder}/{number:05}", label, body, shown)

    def _filled(self, told: Mapping[str, Any]) -> str:
        from jinja2 import TemplateError

        try:
            return self._template.render(**told)  # type: ignore[no-any-return]
        except (TemplateError, TypeError, ValueError, ArithmeticError, OverflowError) as error:
            raise refused(error) from None

    @cached_property
    def _template(self) -> Any:
        return template_of(self.prompt)


def a_prompt(text: str) -> str:
    """A template that names nothing but what it is given.

    Raises:
        ValueError: It does, or is no template.
    """
    from jinja2 import TemplateSyntaxError

    try:
        unknown = [name for name in names_in(text) if name not in KNOWN]
    except TemplateSyntaxError as error:
        raise ValueError(f"is no template: {error.message} (its line {error.lineno})") from None
    if unknown:
        meant = did_you_mean(unknown[0], KNOWN)
        more = "" if meant.startswith("known") else f"; known are {', '.join(KNOWN)}"
        raise ValueError(f"names {unknown[0]!r}, which is not known: {meant}{more}")
    return text


def refused(error: Exception) -> RecipeError:
    """The error of a template, for a person."""
    said = str(error).partition("\n")[0][:200]
    known = "known are label, number, rows, seed and examples (rows of `like`, by column)"  # as in KNOWN
    return RecipeError(f"the template cannot be filled in: {said}", at="prompt", hint=known)


def folder_of(label: str | None, place: int) -> str:
    """The name of a class in row ids: plain, and different for different classes."""
    if label is None:
        return "all"
    plain = _CAREFUL.sub("_", label)[:40]
    return plain if plain == label else f"{plain}-{place}"
