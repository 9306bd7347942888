"""Conversations as ShareGPT has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.exporter import Rows
from seedbed.core.part import Example
from seedbed.core.rows import ROW
from seedbed.core.task import Chat, Task
from seedbed.core.task.chat import ROLES, TURNS

from .files.described import described
from .shaping.asking import ASKED, Asked, Asking
from .shaping.reading import read_lines
from .shaping.shaped import Saying
from .shaping.turns import plain_turns, turn

_FROM = {"system": "system", "user": "human", "assistant": "gpt"}


class Sharegpt(Asking):
    """Write each split as JSON lines of `conversations`, as ShareGPT has them: `human` and `gpt` in turn.

    A line is `{"conversations": [{"from": "human", "value": …}, {"from": "gpt", "value": …}, …]}`, with `system` first
    where there is one. A row of another task becomes two turns, as with `openai_chat`. Reading gives back the turns.

    ## Why
    Axolotl, LLaMA-Factory, Unsloth and FastChat read it.

    ## Limits
    It has words for user and assistant in turn, and nothing else: conversations with calls of tools (`tools`), names
    (`named_turn`), turns that are not learned from (`weighted_turn`), or two turns of one side (`not_in_turn`) are set
    aside. A `weight` of 1 means what none means, and is not written.
    """

    says: ClassVar[tuple[str, ...]] = ("chat", *ASKED)
    asks: ClassVar[tuple[str, ...]] = ("prompt", "completion", "system")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Who writes to whom",
            options={"path": "out/sharegpt"},
            before={"text": ["good day"], "target": ["guten Tag"]},
            after={
                "train.jsonl": [
                    '{"conversations":[{"from":"human","value":"good day"},{"from":"gpt","value":"guten Tag"}]}'
                ],
            },
        ),
    )

    use: Literal["sharegpt"] = "sharegpt"
    system: str | None = Field(None, min_length=1, description="Jinja template of what the system says first.")

    def say(self, task: Task, schema: pl.Schema) -> Saying:
        """Turns as ShareGPT has them."""
        asked = Asked(self, task, schema)

        def record(row: dict[str, Any]) -> dict[str, Any]:
            system, turns = plain_turns(asked.conversation(row))
            every = [*([("system", system)] if system is not None else []), *turns]
            said = [{"from": _FROM[role], "value": content} for role, content in every]
            return self.with_row({"conversations": said}, row)

        name = task.messages if isinstance(task, Chat) else Chat().messages
        return Saying(asked.columns, record, self.with_row_kind({name: TURNS}, schema), asked.prepared, asked.told)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Turns and ids as they were written.

        Raises:
            DataError: The schema or the file is damaged.
        """
        schema = described(path, "sharegpt").schema
        name = next(name for name in schema if name != ROW)

        def row_of(found: dict[str, Any]) -> dict[str, Any]:
            turns = [turn(ROLES[one["from"]], one["value"]) for one in found["conversations"]]
            return {ROW: found.get(ROW), name: turns}

        return read_lines(path, schema, row_of)
