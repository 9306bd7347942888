"""Prompts and completions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl

from seedbed.core.exporter import Rows
from seedbed.core.part import Example
from seedbed.core.rows import ROW
from seedbed.core.task import Task

from .files.described import described
from .shaping.asking import ASKED, Asked, Asking
from .shaping.reading import read_lines
from .shaping.shaped import Saying


class PromptCompletion(Asking):
    """Write each split as JSON lines of `prompt` and `completion`: a text, and how a language model goes on.

    The prompt is the task's text, the completion its answer, or what templates make of a row: a price is learned as
    `prompt: "{{ text }}\\n\\nPrice is $"` and `decimals: 0`. Reading gives back a text and a text: in the task's own
    columns where both are the task's own and no template was given, in `prompt` and `completion` elsewhere.

    ## Why
    A language model that is fine-tuned to complete a text tells numbers, labels and answers without a head of its own;
    TRL and the older APIs for fine-tuning take it like this, and learn from the completion alone.

    ## Limits
    What stands between prompt and completion (a space, a line break) is up to the templates: tokenizers tell them
    apart. A prompt or a completion without a word (`empty_prompt`, `empty_completion`) is set aside.
    """

    says: ClassVar[tuple[str, ...]] = ASKED
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A text in, a price out",
            options={"path": "out/prices", "prompt": "{{ text }}\n\nPrice is $", "decimals": 0},
            before={"text": ["a lamp", "a sofa"], "target": [12.49, 870.5]},
            after={
                "train.jsonl": [
                    '{"prompt":"a lamp\\n\\nPrice is $","completion":"12"}',
                    '{"prompt":"a sofa\\n\\nPrice is $","completion":"870"}',
                ],
            },
        ),
    )

    use: Literal["prompt_completion"] = "prompt_completion"

    def say(self, task: Task, schema: pl.Schema) -> Saying:
        """A prompt and a completion."""
        asked = Asked(self, task, schema)

        def record(row: dict[str, Any]) -> dict[str, Any]:
            return self.with_row({"prompt": asked("prompt", row), "completion": asked("completion", row)}, row)

        own = asked.plain and task.says in ("label", "text")
        names = (task.roles["text"], str(task.answer)) if own else ("prompt", "completion")
        kinds = dict.fromkeys(names, pl.String())
        return Saying(asked.columns, record, self.with_row_kind(kinds, schema), asked.prepared, asked.told)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Two texts and ids.

        Raises:
            DataError: The schema or the file is damaged.
        """
        schema = described(path, "prompt_completion").schema
        prompt, completion = (name for name in schema if name != ROW)

        def row_of(found: dict[str, Any]) -> dict[str, Any]:
            return {ROW: found.get(ROW), prompt: found["prompt"], completion: found["completion"]}

        return read_lines(path, schema, row_of)
