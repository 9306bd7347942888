"""chat_rules: what a service that fine-tunes chat models would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core import numbers
from seedbed.core.chatting.counting import counter
from seedbed.core.chatting.examples import TASKS, examples_of
from seedbed.core.chatting.models import TunedModel, model_named
from seedbed.core.chatting.verdict import Verdict
from seedbed.core.check import SPLIT, Check, Finding, View
from seedbed.core.errors import RecipeError
from seedbed.core.part import Example, Placed
from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.core.tokenizing import AnyTokenizer

#: Rows that are looked at at once.
_BATCH = 8_192
_HELD_BACK = "test"
#: Problems that a finding tells.
_SHOWN = 5


class ChatRules(Placed, Check):
    """Would a service that fine-tunes chat models take the rows?

    Looks at training and validation rows as OpenAI's form says them (`messages`, `tools`): at least 10 training rows;
    roles that are known; every message says something or calls a tool; the assistant speaks last; weights are 0 or 1,
    and on the assistant's messages only, not all of them 0; names have at most 64 letters, digits, `_` and `-`; tool
    calls have an id, a name and arguments that are a JSON object, are answered at once (but the last), and name a tool
    that is described. With `model`, tokens of each example and bytes of the file are held against what is known of it.
    The value is the number of rules and limits that are broken; the finding names rows, and says what training would
    cost.

    ## Why
    The service says it too, after the upload, of one row at a time or of none. An example that is too long is not
    refused: its end, which is the answer, is cut off.

    ## Limits
    Tasks are `chat` and `text_to_text`; `messages` names a column with turns for others. Limits and prices stand in a
    table with their source and date, and change: `models` names one of your own, which goes before it. Tokens are
    counted with the model's own tokenizer where that is on this machine, or with `tokenizer`; else they are estimated
    from bytes, and the finding says `about`. What a service adds to a prompt is not public: counts are near, not exact.
    What a service forbids to say is not looked for.
    """

    use: Literal["chat_rules"] = "chat_rules"
    when: ClassVar[Literal["rows", "split", "model"]] = "split"
    needs_no_split: ClassVar[bool] = True

    model: str | None = Field(None, min_length=1, description="Model to fine-tune; without it no limits are known.")
    models: str | None = Field(
        None, min_length=1, description="A YAML table of limits and prices of models, which goes before ours."
    )
    messages: str | None = Field(
        None,
        min_length=1,
        description="Column with the messages, where the task is not chat.",
        json_schema_extra={"column": True},
    )
    tokenizer: AnyTokenizer | None = Field(None, description="Counts tokens; the model's own when left out.")
    epochs: int = Field(3, ge=1, le=50, description="Times that each example is learned from, for limits and costs.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Too few, and one of them ends with the user",
            options={"messages": "said"},
            before={
                "said": [
                    '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]',
                    '[{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Hi"}]',
                ]
            },
            after={"passed": [False], "value": [2], "limit": [0]},
        ),
        Example(
            title="As it should be",
            options={"messages": "said", "model": "gpt-4o-mini-2024-07-18"},
            before={"said": ['[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]'] * 10},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
    )

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Tasks whose rows are no conversations."""
        if self.messages is None and task.kind not in TASKS:
            hint = f"`messages` names a column that holds some; tasks that do are {' and '.join(TASKS)}"
            yield "use", f"rows of {task.kind} are no conversations", hint

    def find(self, view: View) -> Finding:
        """Look at every example.

        Raises:
            RecipeError: The task has no turns, or the table of models is none.
            DataError: The table of models cannot be read.
        """
        known = self._known()
        for _, problem, hint in self.faults(view.task):
            raise RecipeError(problem, at=self.use, hint=hint)
        task = {"kind": "chat", "messages": self.messages} if self.messages else view.task.model_dump(mode="json")
        count = counter(self.tokenizer, known, self.use, offline=False)
        train, other = (Verdict(known, count, self.epochs) for _ in range(2))
        for batch in self._looked(view).collect_batches(chunk_size=_BATCH, maintain_order=True):
            in_train = batch[SPLIT] == "train"
            for verdict, rows in ((train, batch.filter(in_train)), (other, batch.filter(~in_train))):
                verdict.look(rows[ROW].to_list(), examples_of(task, rows))
        return self._told(train, other, known)

    def _known(self) -> TunedModel | None:
        return model_named(self.model, self._base / self.models if self.models else None) if self.model else None

    def _looked(self, view: View) -> pl.LazyFrame:
        """Rows that would be sent; all train where they are not split."""
        if SPLIT not in view.rows.collect_schema():
            return view.rows.with_columns(pl.lit("train").alias(SPLIT))
        return view.rows.filter(pl.col(SPLIT) != _HELD_BACK)

    def _told(self, train: Verdict, other: Verdict, known: TunedModel | None) -> Finding:
        problems = [*train.problems(), *(f"of validation: {one}" for one in other.problems(training=False))]
        more = [f"{len(problems) - _SHOWN} more rules are broken"] if len(problems) > _SHOWN else []
        said = [*problems[:_SHOWN], *more, train.measured()]
        if self.model and known is None:
            said.append(f"no limits of {self.model[:60]!r} are known; a table under `models` says them")
        rows: dict[str, Any] = {**train.rows, **other.rows}
        return self.finding(
            not problems,
            value=len(problems),
            limit=0,
            message=numbers.typed(". ".join(one[0].upper() + one[1:] for one in said) + "."),
            rows=tuple(rows)[:10],
        )
