"""Asks a fine-tuned model in the words of the examples that it was tuned on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict

from seedbed.core.chatting.wording import ANSWER, COMPLETION, PROMPT, filled
from seedbed.core.chatting.wording import Wording as InWords
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.task import AnyTask, Task
from seedbed.core.templates import names_in
from seedbed.core.values import text_of

from .reading import Reading

#: What `publish: fine_tuning` leaves in its folder.
JOB, EXAMPLES = "job.json", "training.jsonl"
SYSTEM = "system"
_MARK = "\x00answer\x00"

Messages = tuple[Mapping[str, str], ...]


class AsTuned(BaseModel):
    """The prompts of `publish: fine_tuning`.

    Attributes:
        task: What the rows are for.
        prompt: Its option.
        completion: Its option.
        system: Its option.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: AnyTask
    prompt: str | None
    completion: str | None
    system: str | None

    def conversations(
        self, rows: pl.DataFrame, texts: Sequence[str], near: Sequence[Any], reading: Reading
    ) -> list[Messages]:
        """What is said to the model about each row; examples are not shown, for it has seen them."""
        return [self._asked(row) for row in self._prepared(rows).iter_rows(named=True)]

    def examples(self, rows: pl.DataFrame) -> list[str]:
        """Rows with their answers as lines of the file of examples, in one form."""
        return [
            canonical([*self._asked(row), {"role": "assistant", "content": self._words(COMPLETION, row)}])
            for row in self._prepared(rows).iter_rows(named=True)
        ]

    def around(self) -> tuple[str, str]:
        """What a completion says before the answer, and after it.

        Raises:
            RecipeError: Answers cannot be read out of completions.
        """
        if self.completion is None:
            return "", ""
        others = [name for name in names_in(self.completion) if name != ANSWER]
        pieces = filled(self.completion, COMPLETION)({ANSWER: _MARK}).split(_MARK) if not others else []
        if len(pieces) != 2:
            said = f"names {others[0]!r}" if others else "does not hold `answer` once, as it is"
            raise RecipeError(
                f"`completion` {said}, so that answers cannot be read out of what the model says",
                at="fine_tuned_remote.completion",
                hint="tune with a completion such as `Mood: {{ answer }}`",
            )
        return pieces[0], pieces[1]

    def _asked(self, row: Mapping[str, Any]) -> Messages:
        system = ({"role": "system", "content": self._words(SYSTEM, row)},) if self._words.has(SYSTEM) else ()
        return (*system, {"role": "user", "content": self._words(PROMPT, row)})

    def _prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Texts and labels as texts, whatever the columns hold, as the exporter has them."""
        texts = [*self._words.texts, *([self.task.answer] if self.task.says == "label" else [])]
        return rows.with_columns(text_of(name).alias(name) for name in texts if name in rows.columns)

    @cached_property
    def _words(self) -> InWords:
        templates = {PROMPT: self.prompt, COMPLETION: self.completion, SYSTEM: self.system}
        return InWords(self.task, templates)

    def check(self, task: Task, columns: Sequence[str]) -> None:
        """Whether rows that a model gets have what the templates name.

        Raises:
            RecipeError: They do not.
        """
        if self.prompt is None and not self._words.texts:
            raise RecipeError("rows of a table need the `prompt` that was tuned with", at="fine_tuned_remote.prompt")
        for option, text in ((PROMPT, self.prompt), (SYSTEM, self.system)):
            missing = [name for name in names_in(text or "") if name not in columns]
            if missing:
                raise RecipeError(
                    f"names {missing[0]!r}, which {task.kind} does not read",
                    at=f"fine_tuned_remote.{option}",
                    hint=f"a model is given {', '.join(columns)}",
                )


class Job(BaseModel):
    """A model that a service fine-tuned, as `job.json` tells of it."""

    endpoint: str
    model: str

    @classmethod
    def of(cls, folder: Path) -> Job:
        """The last that was fine-tuned from a folder.

        Raises:
            DataError: There is none.
        """
        place = folder / JOB
        try:
            told = json.loads(place.read_bytes())
            made = [one["fine_tuned_model"] for one in told["jobs"].values() if one["status"] == "succeeded"]
            models = [str(name) for name in made if name]
            endpoint = str(told["endpoint"])
        except OSError as error:
            hint = "it is the `path` of `publish: fine_tuning`, or of `seedbed export`"
            raise DataError(f"cannot be read: {error.strerror or error}", at=str(place), hint=hint) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError("is not what was asked of a service", at=str(place)) from None
        if not models:
            hint = "the same `publish` or `export` once more follows a job to its end"
            raise DataError("no model was fine-tuned yet", at=str(place), hint=hint)
        return cls(endpoint=endpoint, model=models[-1])


def tuned_on(folder: Path) -> set[str]:
    """The examples that the last model was tuned on, in one form; none where the file is gone."""
    try:
        return {canonical(orjson.loads(line)["messages"]) for line in (folder / EXAMPLES).read_bytes().splitlines()}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot be read: {error}"[:200], at=str(folder / EXAMPLES)) from None


def canonical(messages: Sequence[Mapping[str, Any]]) -> str:
    """Messages in one form."""
    return json.dumps([[one["role"], one["content"]] for one in messages], ensure_ascii=False)
