"""What learners of texts, turns and questions read from rows: pairs of what was asked and what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from seedbed.core.errors import ModelError
from seedbed.core.task import Chat, Task, TextToText

from .target import texts_of

Turns = Sequence[Mapping[str, Any]]


def column_asked(task: Task) -> str:
    """The column that holds what is asked: a text, or turns."""
    if isinstance(task, Chat):
        return task.messages
    assert isinstance(task, TextToText)
    return task.text


def turns_of(rows: pl.DataFrame, column: str) -> list[Turns]:
    """Each row's turns: of a chat its own, of a text one turn of a user.

    Raises:
        ModelError: The rows have no such column.
    """
    if not isinstance(rows.schema.get(column), pl.List):
        return [[{"role": "user", "content": text}] for text in texts_of(rows, column)]
    return [turns or [] for turns in rows[column].to_list()]


def last_said(turns: Turns, role: str = "user") -> str:
    """What was said last by some role; empty where nothing was."""
    said = (turn.get("content") for turn in reversed(turns) if turn["role"] == role)
    return next((text for text in said if text), "")


def pairs_of(rows: pl.DataFrame, task: Task) -> list[tuple[Turns, str]]:
    """What was asked and what is answered, of each training row that has an answer in words."""
    if isinstance(task, TextToText):
        pairs = zip(turns_of(rows, task.text), texts_of(rows, task.target), strict=True)
        return [(turns, answer) for turns, answer in pairs if answer.strip()]
    assert isinstance(task, Chat)
    each = [turns for turns in turns_of(rows, task.messages) if turns]
    return [(turns[:-1], turns[-1]["content"]) for turns in each if (turns[-1].get("content") or "").strip()]


def series_of(rows: pl.DataFrame, column: str) -> pl.Series:
    """A column of rows.

    Raises:
        ModelError: The rows have no such column.
    """
    if column not in rows.columns:
        raise ModelError(
            f"the model reads the column {column!r}, which the rows do not have",
            hint=f"they have: {', '.join(rows.columns[:12]) or 'no columns'}",
        )
    return rows[column]
