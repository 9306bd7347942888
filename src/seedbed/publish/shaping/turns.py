"""Conversations: the task's own form of turns, and that of OpenAI's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from seedbed.core.task.chat import TURNS

from .shaped import Unsayable

_SAYS_ALL = "openai_chat says calls of tools, names, weights and turns in any order"
FIELDS = tuple(field.name for field in TURNS.inner.fields)  # type: ignore[union-attr]


@dataclass(frozen=True)
class Conversation:
    """What was said."""

    turns: list[dict[str, Any]]
    """In the form of `TURNS`."""
    tools: Any = None
    """Descriptions of tools, as JSON says them."""


def turn(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    """A turn with all its fields."""
    return {**dict.fromkeys(FIELDS), "role": role, "content": content, **more}


def message_of(one: dict[str, Any]) -> dict[str, Any]:
    """A turn as OpenAI writes it: what is missing is left out, calls are objects."""
    found = {"role": one["role"], "content": one["content"]}
    found |= {name: one[name] for name in FIELDS[2:] if one[name] is not None}
    if one["tool_calls"]:
        calls = json_of(one["tool_calls"], "tool_calls_not_json")
        del found["tool_calls"]
        found["tool_calls" if isinstance(calls, list) else "function_call"] = calls
    return found


def turn_of(message: dict[str, Any]) -> dict[str, Any]:
    """The turn that `message_of` wrote."""
    calls = message.get("tool_calls", message.get("function_call"))
    found = {name: message.get(name) for name in FIELDS}
    return found | {"tool_calls": None if calls is None else orjson.dumps(calls).decode()}


def json_of(value: Any, reason: str) -> Any:
    """What a value says that may stand in a text as JSON.

    Raises:
        Unsayable: It is none.
    """
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise Unsayable(reason) from None


def plain_turns(conversation: Conversation) -> tuple[str | None, list[tuple[str, str]]]:
    """The system's words, and what user and assistant say in turn, for formats that say no more than that.

    Raises:
        Unsayable: It names tools, a turn uses one, or has a name or a weight of 0, or the two do not take turns.
    """
    if conversation.tools:
        raise Unsayable("tools", _SAYS_ALL)
    turns = conversation.turns
    for one in turns:
        if one["tool_calls"] or one["role"] == "tool" or one["tool_call_id"]:
            raise Unsayable("tools", _SAYS_ALL)
        if one["name"] is not None:
            raise Unsayable("named_turn", _SAYS_ALL)
        if one["weight"] not in (None, 1):
            raise Unsayable("weighted_turn", _SAYS_ALL)
    system = turns[0]["content"] if turns[0]["role"] == "system" else None
    spoken = [(one["role"], one["content"]) for one in turns[system is not None :]]
    if [role for role, _ in spoken] != ["user", "assistant"] * (len(spoken) // 2):
        raise Unsayable("not_in_turn", _SAYS_ALL)
    return system, spoken
