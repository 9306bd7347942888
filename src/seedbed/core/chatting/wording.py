"""Rows of a task in words: what is asked, and what follows. Whoever tunes a model and whoever asks it say alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seedbed.core.errors import RecipeError
from seedbed.core.task import Task
from seedbed.core.templates import template_of

#: The answer in words, in a template.
ANSWER = "answer"
#: Templates that stand for the task's own columns where they are left out.
PROMPT, COMPLETION = "prompt", "completion"
#: Whole numbers up to here have exact floats and are written without a point.
_EXACT = 1 << 53


class Wording:
    """Says rows.

    Args:
        task: What they are for.
        templates: Jinja templates by the option's name; `prompt` is the task's text and `completion` its answer where
            they are left out.
        decimals: Digits after the point to which a number is rounded; all when left out.
        if_none: The answer where there is none.
    """

    def __init__(
        self, task: Task, templates: Mapping[str, str | None], *, decimals: int | None = None, if_none: str = "none"
    ) -> None:
        self._task = task
        self._in_words = _words_of(task, decimals, if_none)
        self._templates = {option: filled(text, option) for option, text in templates.items() if text is not None}

    def has(self, option: str) -> bool:
        """Whether a template is given."""
        return option in self._templates

    @property
    def plain(self) -> bool:
        """Whether prompt and completion are the task's own columns."""
        return not (self.has(PROMPT) or self.has(COMPLETION))

    @property
    def texts(self) -> list[str]:
        """The task's own columns that are asked about."""
        roles = self._task.roles
        return [roles[role] for role in ("context", "question", "text") if role in roles]

    def __call__(self, option: str, row: Mapping[str, Any]) -> str:
        """What an option's template says of a row; the task's own text or answer where it is left out.

        Raises:
            RecipeError: The template fails.
        """
        made = self._templates.get(option)
        if made is not None:
            return made({**{k: "" if v is None else v for k, v in row.items()}, ANSWER: self.answer(row)})
        if option == PROMPT:
            return "\n\n".join(row[name] or "" for name in self.texts)
        return self.answer(row)

    def answer(self, row: Mapping[str, Any]) -> str:
        """A row's answer in words; nothing where the row does not have it."""
        column = self._task.answer
        return "" if column is None or column not in row else self._in_words(row[column])


def filled(text: str, option: str) -> Callable[[Mapping[str, Any]], str]:
    """A template that is filled in by calling it.

    Args:
        text: The template.
        option: Its name, for messages.
    """
    from jinja2 import TemplateError

    made = template_of(text)

    def fill(row: Mapping[str, Any]) -> str:
        try:
            return str(made.render(**row))
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            said = str(error).partition("\n")[0][:160]
            raise RecipeError(f"`{option}` cannot be filled in: {said}", hint="look at the template") from None

    return fill


def _words_of(task: Task, decimals: int | None, if_none: str) -> Callable[[Any], str]:
    """From an answer in the task's own form to words."""

    def number(value: float) -> str:
        if decimals is not None:
            return f"{value:.{decimals}f}"
        return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)

    def labels(value: Sequence[str]) -> str:
        return ", ".join(value) or if_none

    def spans(value: Sequence[Mapping[str, Any]]) -> str:
        return str(value[0]["text"]) if value else if_none

    known: dict[str, Callable[[Any], str]] = {"number": number, "labels": labels, "spans": spans}
    return known.get(task.says, lambda value: value or "")
