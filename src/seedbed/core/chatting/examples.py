"""Rows of a task as examples for chat fine-tuning, in the form of OpenAI's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import polars as pl

#: Tasks that can be said in turns.
TASKS = ("chat", "text_to_text")


def examples_of(task: Mapping[str, Any], rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The examples that rows hold, in order.

    Args:
        task: As a run's record has it.
        rows: In the task's own form.
    """
    if task["kind"] == "chat":
        tools = rows[task["tools"]] if task.get("tools") else pl.Series([None] * rows.height)
        return [_conversation(turns, told) for turns, told in zip(rows[task["messages"]], tools, strict=True)]
    pairs = zip(rows[task["text"]], rows[task["target"]], strict=True)
    return [{"messages": [_message("user", asked), _message("assistant", said)]} for asked, said in pairs]


def _message(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": None if content is None else str(content)}


def _conversation(turns: Any, tools: Any) -> dict[str, Any]:
    turns = _parsed(turns)
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return {"messages": turns}
    found: dict[str, Any] = {"messages": [dict(_turn(turn)) for turn in turns]}
    if tools is not None and tools != "":
        found["tools"] = _parsed(tools)
    return found


def _turn(turn: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a turn says, without what it leaves open."""
    for key, value in turn.items():
        if key == "tool_calls" and value:
            yield key, _parsed(value)
        elif value is not None or key == "content":
            yield key, value


def _parsed(value: Any) -> Any:
    """What JSON in a text says; a text that is none stays, for the rules to tell."""
    if not isinstance(value, str):
        return value.to_list() if isinstance(value, pl.Series) else value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
