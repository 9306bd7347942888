"""Rules of an example for chat fine-tuning, by which services refuse a file.

The form is that of OpenAI's API: an object with `messages`, each with a `role`, and `tools` where there are such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

#: What each rule says, of an example that breaks it.
RULES: Mapping[str, str] = {
    "no_messages": "has no list of messages",
    "unknown_role": "has a role that is not known",
    "unknown_key": "has a key that messages do not have",
    "no_content": "has a message that says nothing and calls no tool",
    "bad_name": "has a name that is not 1 to 64 letters, digits, `_` or `-`",
    "bad_weight": "has a weight that is neither 0 nor 1",
    "weight_elsewhere": "has a weight on a message that is not the assistant's",
    "no_assistant": "has no message of the assistant",
    "not_ended_by_assistant": "does not end with the assistant",
    "nothing_to_learn": "has weight 0 on every message of the assistant",
    "bad_call": "has a tool call without id, name or arguments that are a JSON object",
    "call_without_answer": "has a tool call that nothing answers",
    "answer_without_call": "has a tool's answer that no call asked for",
    "bad_tools": "has tools that are not described as functions with a name",
    "unknown_tool": "calls a tool that it does not describe",
}

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def broken(example: Any) -> Iterator[tuple[str, int]]:
    """The rules that an example breaks, each once.

    Args:
        example: A line of the file, as JSON.

    Yields:
        The rule and the message that breaks it first, from 1; 0 where it is the example.
    """
    if not _has_messages(example):
        yield "no_messages", 0
        return
    messages = example["messages"]
    tools = _tool_names(example.get("tools"))
    if tools is None:
        yield "bad_tools", 0
    told: set[str] = set()
    for rule, place in (*_of_messages(messages), *_of_calls(messages, tools), *_of_all(messages)):
        if rule not in told:
            told.add(rule)
            yield rule, place


def _has_messages(example: Any) -> bool:
    messages = example.get("messages") if isinstance(example, Mapping) else None
    return isinstance(messages, list) and bool(messages) and all(isinstance(one, Mapping) for one in messages)


def _of_messages(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """Rules of one message."""
    for place, message in enumerate(messages, 1):
        role, weight, name = message.get("role"), message.get("weight"), message.get("name")
        if role not in _ROLES:
            yield "unknown_role", place
        if not _KEYS.issuperset(message):
            yield "unknown_key", place
        if not _says_something(message):
            yield "no_content", place
        if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
            yield "bad_name", place
        if weight is not None and role != "assistant":
            yield "weight_elsewhere", place
        elif weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
            yield "bad_weight", place


def _says_something(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    if isinstance(content, str):
        return bool(content) or bool(message.get("tool_calls"))
    if isinstance(content, list):
        return bool(content)
    calls = message.get("tool_calls") or message.get("function_call") or message.get("refusal")
    return content is None and message.get("role") == "assistant" and bool(calls)


def _of_calls(messages: Sequence[Mapping[str, Any]], tools: set[str] | None) -> Iterator[tuple[str, int]]:
    """Rules of tool calls and their answers, which follow at once; what is called last needs none."""
    open_calls: dict[str, int] = {}
    garbled = False  # answers to calls that cannot be read are not held against them
    for place, message in enumerate(messages, 1):
        if message.get("role") == "tool":
            if open_calls.pop(str(message.get("tool_call_id")), None) is None and not garbled:
                yield "answer_without_call", place
            continue
        yield from (("call_without_answer", where) for where in open_calls.values())
        open_calls, garbled = {}, False
        calls = message.get("tool_calls")
        if calls is None:
            continue
        if not isinstance(calls, list) or not calls or not all(map(_is_call, calls)):
            yield "bad_call", place
            garbled = True
            continue
        open_calls = {str(call["id"]): place for call in calls}
        if tools and any(call["function"]["name"] not in tools for call in calls):
            yield "unknown_tool", place
    yield from (("call_without_answer", where) for where in open_calls.values() if where < len(messages))


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not call.get("id") or call.get("type", "function") != "function":
        return False
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(arguments, str):
        return False
    try:
        return isinstance(orjson.loads(arguments), dict)
    except orjson.JSONDecodeError:
        return False


def _tool_names(tools: Any) -> set[str] | None:
    """Names of the tools that are described; none where they are not described as functions."""
    if tools is None:
        return set()
    if not isinstance(tools, list):
        return None
    names = {_tool_name(one) for one in tools}
    return None if None in names else {name for name in names if name}


def _tool_name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None


def _of_all(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """Rules of the whole conversation."""
    by_assistant = [message for message in messages if message.get("role") == "assistant"]
    if not by_assistant:
        yield "no_assistant", 0
    elif messages[-1].get("role") != "assistant":
        yield "not_ended_by_assistant", len(messages)
    if by_assistant and all(message.get("weight") == 0 for message in by_assistant):
        yield "nothing_to_learn", 0


#: Tokens that a message costs besides its texts, a name besides its own, and an example besides its messages:
#: https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
_A_MESSAGE, _A_NAME, _AN_EXAMPLE = 3, 1, 3


def texts_of(example: Any) -> tuple[list[str], int]:
    """The texts of an example whose tokens count, and the tokens that it costs besides; whole where it is none."""
    texts: list[str] = []
    more = _AN_EXAMPLE
    if not _has_messages(example):
        return [orjson.dumps(example).decode()], more
    for message in example["messages"]:
        more += _A_MESSAGE + (_A_NAME if message.get("name") else 0)
        for key, value in message.items():
            if key != "weight" and value is not None:
                texts.append(value if isinstance(value, str) else orjson.dumps(value).decode())
    if example.get("tools"):
        texts.append(orjson.dumps(example["tools"]).decode())
    return texts, more
