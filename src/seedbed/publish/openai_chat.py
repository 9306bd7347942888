"""Conversations as OpenAI's fine-tuning takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson
import polars as pl
from pydantic import Field

from seedbed.core.exporter import Rows
from seedbed.core.part import Example
from seedbed.core.rows import ROW
from seedbed.core.task import Chat, Task
from seedbed.core.task.chat import TURNS

from .files.described import described
from .shaping.asking import ASKED, Asked, Asking
from .shaping.reading import read_lines
from .shaping.shaped import Saying
from .shaping.turns import message_of, turn_of


class OpenaiChat(Asking):
    """Write each split as JSON lines of `messages`, the format of OpenAI's fine-tuning, TRL and most trainers.

    A line is `{"messages": [{"role": …, "content": …}, …]}`, with `tools` where the task has them. Turns keep their
    `name`, `tool_calls`, `tool_call_id` and `weight`; what a turn does not have is left out. A row of another task
    becomes two turns: the `prompt` of the user and the `completion` of the assistant, after the `system`'s if that is
    given. Reading gives back the turns.

    ## Why
    It is what trainers of chat models agree on, and what an API for fine-tuning takes.

    ## Limits
    Calls and tools that are no JSON cannot be said (`tool_calls_not_json`, `tools_not_json`), nor a prompt or
    completion without a word (`empty_prompt`, `empty_completion`). What a service asks for besides (ten examples, how
    many tokens) is what checks are for. Columns other than the task's are not written.
    """

    says: ClassVar[tuple[str, ...]] = ("chat", *ASKED)
    asks: ClassVar[tuple[str, ...]] = ("prompt", "completion", "system")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A rating, asked for",
            options={"path": "out/chat", "system": "Answer with a number.", "prompt": "How many stars? {{ text }}"},
            before={"text": ["good"], "target": [4.5]},
            after={
                "train.jsonl": [
                    '{"messages":[{"role":"system","content":"Answer with a number."},'
                    '{"role":"user","content":"How many stars? good"},{"role":"assistant","content":"4.5"}]}'
                ],
            },
        ),
    )

    use: Literal["openai_chat"] = "openai_chat"
    system: str | None = Field(None, min_length=1, description="Jinja template of what the system says first.")

    def say(self, task: Task, schema: pl.Schema) -> Saying:
        """Turns as messages."""
        asked = Asked(self, task, schema)

        def record(row: dict[str, Any]) -> dict[str, Any]:
            spoken = asked.conversation(row)
            tools = {} if spoken.tools is None else {"tools": spoken.tools}
            return self.with_row({"messages": [message_of(one) for one in spoken.turns], **tools}, row)

        chat = task if isinstance(task, Chat) else Chat()
        kinds = {chat.messages: TURNS, **({chat.tools: pl.String()} if chat.tools else {})}
        return Saying(asked.columns, record, self.with_row_kind(kinds, schema), asked.prepared, asked.told)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Turns, tools and ids as they were written.

        Raises:
            DataError: The schema or the file is damaged.
        """
        schema = described(path, "openai_chat").schema
        named = {kind == TURNS: name for name, kind in schema.items() if name != ROW}

        def row_of(found: dict[str, Any]) -> dict[str, Any]:
            tools = found.get("tools")
            row = {ROW: found.get(ROW), named[True]: [turn_of(one) for one in found["messages"]]}
            return row | ({named[False]: tools and orjson.dumps(tools).decode()} if False in named else {})

        return read_lines(path, schema, row_of)
