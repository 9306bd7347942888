"""Instructions as Alpaca has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

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
from .shaping.shaped import Saying, Unsayable
from .shaping.turns import plain_turns, turn


class Alpaca(Asking):
    """Write each split as JSON lines of `instruction`, `input` and `output`, as Stanford's Alpaca has them.

    Of a conversation, `instruction` is what the user says, `output` what the assistant does, `system` (which
    LLaMA-Factory reads; empty where there is none) what the system does, and `input` is empty. Of another task,
    `instruction` is the `prompt` and `output` the `completion`; the template `input` says what the instruction is
    about. Reading gives back conversations, in which the input follows the instruction after a line break.

    ## Why
    LLaMA-Factory, Axolotl, torchtune and LitGPT read it.

    ## Limits
    One exchange is all that it can say: longer conversations (`several_exchanges`) and what `sharegpt` cannot say are
    set aside.
    """

    says: ClassVar[tuple[str, ...]] = ("chat", *ASKED)
    asks: ClassVar[tuple[str, ...]] = ("prompt", "completion", "system", "input")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A translation",
            options={"path": "out/alpaca", "prompt": "Translate into German.", "input": "{{ text }}"},
            before={"text": ["good day"], "target": ["guten Tag"]},
            after={
                "train.jsonl": ['{"instruction":"Translate into German.","input":"good day","output":"guten Tag"}'],
            },
        ),
    )

    use: Literal["alpaca"] = "alpaca"
    input: str | None = Field(None, min_length=1, description="Jinja template of what the instruction is about.")
    system: str | None = Field(None, min_length=1, description="Jinja template of what the system says.")

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """An input needs an instruction besides."""
        yield from super().faults(task)
        if self.input is not None and self.prompt is None and task.kind != "chat":
            yield "input", "the instruction is missing that this is the input of", "write it under `prompt`"

    def say(self, task: Task, schema: pl.Schema) -> Saying:
        """An exchange as an instruction and its output."""
        asked = Asked(self, task, schema)

        def record(row: dict[str, Any]) -> dict[str, Any]:
            system, turns = plain_turns(asked.conversation(row))
            if len(turns) != 2:
                raise Unsayable("several_exchanges", "sharegpt and openai_chat say several")
            given = asked("input", row) if asked.has("input") else ""
            found = {"instruction": turns[0][1], "input": given, "output": turns[1][1]}
            told = {"system": system or ""} if isinstance(task, Chat) or self.system else {}
            return self.with_row({**told, **found}, row)

        name = task.messages if isinstance(task, Chat) else Chat().messages
        return Saying(asked.columns, record, self.with_row_kind({name: TURNS}, schema), asked.prepared, asked.told)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Conversations and ids.

        Raises:
            DataError: The schema or the file is damaged.
        """
        schema = described(path, "alpaca").schema
        name = next(name for name in schema if name != ROW)

        def row_of(found: dict[str, Any]) -> dict[str, Any]:
            asked = "\n".join(text for text in (found["instruction"], found["input"]) if text)
            system = [turn("system", found["system"])] if found.get("system") else []
            return {ROW: found.get(ROW), name: [*system, turn("user", asked), turn("assistant", found["output"])]}

        return read_lines(path, schema, row_of)
