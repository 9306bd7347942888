"""Rows of a task as a prompt and what is to follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from seedbed.core.chatting.wording import ANSWER, COMPLETION, PROMPT, Wording
from seedbed.core.rows import ROW
from seedbed.core.task import Chat, Task
from seedbed.core.templates import names_in, template_of
from seedbed.core.tokenizing import AnyTokenizer
from seedbed.core.values import text_of

from .cutting import Cutting
from .shaped import Shaped, Unsayable
from .turns import Conversation, json_of, turn

#: Tasks whose rows can be asked for in words. Those of tables need a template.
ASKED = (
    "text_classification",
    "multi_label_classification",
    "regression",
    "tabular_classification",
    "tabular_regression",
    "question_answering",
    "text_to_text",
)
_TEMPLATES = (PROMPT, COMPLETION)


class Asking(Shaped):
    """A format of prompts and completions, or of conversations that a prompt begins."""

    prompt: str | None = Field(
        None,
        min_length=1,
        description="Jinja template of what is asked; columns stand in it by their names, such as "
        "`How many stars? {{ text }}`. The task's text when left out; for questions, the context and the question.",
    )
    completion: str | None = Field(
        None,
        min_length=1,
        description="Jinja template of what is to follow: columns, and `answer`, which is the label, the labels with "
        "commas between them, the number, the text, or the first answer. `{{ answer }}` when left out.",
    )
    decimals: int | None = Field(
        None, ge=0, le=15, description="Digits after the point to which a number is rounded; all when left out."
    )
    if_none: str = Field(
        "none", min_length=1, description="The answer where there is none: no label, or a text without the answer."
    )
    tokenizer: AnyTokenizer | None = Field(None, description="Tokenizer that counts for `most_tokens`.")
    most_tokens: int | None = Field(
        None, ge=1, description="Most tokens of the task's text in a prompt: what comes after them is cut off."
    )
    row_ids: bool = Field(False, description="Whether `row` is written, which says where a row comes from.")

    asks: ClassVar[tuple[str, ...]] = _TEMPLATES
    """Options that are templates."""

    @field_validator("prompt", "completion", "system", "input", check_fields=False)
    @classmethod
    def _is_a_template(cls, text: str | None) -> str | None:
        from jinja2 import TemplateSyntaxError

        if text is not None:
            try:
                template_of(text)
            except TemplateSyntaxError as error:
                raise ValueError(f"is no Jinja template: {str(error)[:120]}") from None
        return text

    @model_validator(mode="after")
    def _somebody_counts(self) -> Self:
        if (self.tokenizer is None) != (self.most_tokens is None):
            raise ValueError("`most_tokens` and `tokenizer` need each other")
        return self

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """Columns that the templates name."""
        for option in self.asks:
            for name in names_in(getattr(self, option) or ""):
                if name not in (ANSWER, ROW):
                    yield option, name

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """What a task has no use for, or needs."""
        yield from super().faults(task)
        if task.kind == "chat":
            for option in (*self.asks, "decimals", "most_tokens"):
                if getattr(self, option) is not None:
                    yield option, "a conversation has its own turns", "leave it out"
        elif task.kind.startswith("tabular") and self.prompt is None:
            hint = 'such as `prompt: "Width {{ width }}, height {{ height }}: what does it cost?"`'
            yield "prompt", "rows of a table have no text that could be asked", hint
        elif self.most_tokens is not None and "text" not in task.roles:
            yield "most_tokens", f"{task.kind} has no text of its own that could be cut", "leave it out"
        elif self.decimals is not None and task.says != "number":
            yield "decimals", f"{task.kind} has no number to round", "leave it out"

    def with_row(self, record: dict[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """A record with the id of its row, if that is wanted."""
        return {ROW: row[ROW], **record} if self.row_ids else record

    def with_row_kind(self, kinds: dict[str, Any], schema: pl.Schema) -> pl.Schema:
        """The columns that are read back, the id among them if it is written."""
        own = {ROW: pl.String()} if self.row_ids and ROW in schema else {}
        return pl.Schema({**own, **kinds})


class Asked:
    """How rows of a task are asked for."""

    def __init__(self, options: Asking, task: Task, schema: pl.Schema) -> None:
        self._options, self._task = options, task
        templates = {option: getattr(options, option) for option in options.asks}
        self._wording = Wording(task, templates, decimals=options.decimals, if_none=options.if_none)
        named = [name for _, name in options.columns_used()]
        self._cutting = Cutting.of(options.tokenizer, options.most_tokens, task.roles.get("text"))
        ids = [ROW] if ROW in schema else []
        self.columns = tuple(dict.fromkeys([*ids, *self._own_columns(), *named]))

    def _own_columns(self) -> list[str]:
        if isinstance(self._task, Chat):
            return [self._task.messages, *([self._task.tools] if self._task.tools else [])]
        asked = [] if self._options.prompt else self._wording.texts
        return [*asked, *([self._task.answer] if self._task.answer else [])]

    @property
    def plain(self) -> bool:
        """Whether prompt and completion are the task's own columns."""
        return self._wording.plain

    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with texts and labels as texts, whatever the columns hold, and texts cut that are too long."""
        texts = [*self._wording.texts, *([self._task.answer] if self._task.says in ("label", "text") else [])]
        rows = rows.with_columns(text_of(name).alias(name) for name in texts if name in rows.columns)
        return rows if self._cutting is None else self._cutting(rows)

    def told(self) -> dict[str, Any]:
        """What was cut, for those who ask."""
        return {} if self._cutting is None else {"cut": self._cutting.told()}

    def __call__(self, option: str, row: Mapping[str, Any]) -> str:
        """What an option's template says of a row; the task's own text or answer where it is left out.

        Raises:
            Unsayable: It says nothing.
        """
        said = self._wording(option, row)
        if not said.strip():
            raise Unsayable(f"empty_{option}")
        return said

    def has(self, option: str) -> bool:
        """Whether a template is given."""
        return self._wording.has(option)

    def conversation(self, row: Mapping[str, Any]) -> Conversation:
        """A row as turns.

        Raises:
            Unsayable: It has none.
        """
        if isinstance(self._task, Chat):
            tools = row[self._task.tools] if self._task.tools else None
            return Conversation(row[self._task.messages], json_of(tools, "tools_not_json"))
        system = [turn("system", self("system", row))] if self.has("system") else []
        return Conversation([*system, turn("user", self("prompt", row)), turn("assistant", self("completion", row))])
