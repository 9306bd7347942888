"""Turns of a conversation in, the assistant's next out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.part import Example

from .reading import Unreadable, listed, parsed, read_each, says_something
from .task import WHAT, Says, Task

Role = Literal["system", "user", "assistant", "tool"]

#: Roles by the names that formats give them.
ROLES: Mapping[str, Role] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip

#: Turns in the task's own form. `tool_calls` is JSON; `weight` 0 says that nothing is to be learned from a turn.
TURNS = pl.List(
    pl.Struct(
        {
            "role": pl.String,
            "content": pl.String,
            "name": pl.String,
            "tool_calls": pl.String,
            "tool_call_id": pl.String,
            "weight": pl.Int64,
        }
    )
)


#: What the assistant is to say, where it is not known yet.
_TO_COME = "…"


class Turn(BaseModel):
    """A turn that a column holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role = Field(description="Who speaks.")
    column: str = Field(min_length=1, description="Column that holds what is said; a row without it has no such turn.")


class Chat(Task):
    """Turns of a conversation in, the assistant's next out: instruction and chat tuning.

    A row holds a conversation: a list of turns with `role` and `content` (as OpenAI writes them) or `from` and `value`
    (as ShareGPT does), as it is or as JSON; or, with `turns`, columns that hold a turn each, such as an instruction and
    its answer.

    ## Why
    Every trainer wants another layout, and what breaks training (a missing answer, an empty turn, a role nobody knows)
    shows hours later, if at all. Here each row is read into one form and judged by the rules that all share.

    ## Limits
    Rejected are rows without turns (`no_turns`) or with what cannot be read as such (`not_turns`), an unknown role
    (`unknown_role`), a turn that says nothing and calls no tool (`empty_turn`), a system turn that is not the first
    (`system_not_first`), a weight that is no whole number (`bad_weight`), a tool's answer that no call asked for
    (`tool_without_call`), no user (`no_user`), and a conversation that does not end with the assistant
    (`not_ended_by_assistant`), or has more than `most_turns` (`too_many_turns`). Content that is a list of parts is
    taken if all are text; images and sounds are not read.
    """

    says: ClassVar[Says] = "turns"
    told: ClassVar[tuple[str, ...]] = ("turn", "role")

    kind: Literal["chat"] = Field("chat", description=WHAT)
    messages: str = Field(
        "messages", min_length=1, description="Column that holds the turns, or gets them from `turns`."
    )
    turns: tuple[Turn, ...] | None = Field(None, min_length=2, description="Columns that hold a turn each, in order.")
    tools: str | None = Field(None, min_length=1, description="Column that holds the tools' descriptions, as JSON.")
    most_turns: int | None = Field(None, ge=2, description="Most turns of a conversation, the system's included.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two layouts, one form",
            before={
                "messages": [
                    '[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]',
                    '[{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]',
                    '[{"role": "user", "content": "hi"}]',
                ]
            },
            after={"refused": [None, None, "not_ended_by_assistant"]},
        ),
        Example(
            title="A column a turn",
            options={"turns": [{"role": "user", "column": "said"}, {"role": "assistant", "column": "answer"}]},
            before={"said": ["hi", "hi"], "answer": ["hello", " "]},
            after={"refused": [None, "not_ended_by_assistant"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """The turns, or the columns that hold them; the tools."""
        tools = {"tools": self.tools} if self.tools else {}
        if self.turns is None:
            return {"messages": self.messages, **tools}
        return {**{f"turns.{place}.column": turn.column for place, turn in enumerate(self.turns)}, **tools}

    @property
    def shown(self) -> str | None:
        """The turns."""
        return self.messages

    @property
    def written(self) -> tuple[str, ...]:
        """The turns, as a list."""
        return (self.messages,)

    def reads(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The turns, and the tools."""
        return (self.messages, *([self.tools] if self.tools else []))

    def as_asked(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Turns up to the last one, which is the assistant's and to be told."""
        turns = pl.col(self.messages)
        return rows.with_columns(turns.list.head(pl.max_horizontal(turns.list.len().cast(pl.Int64) - 1, 0)))

    @property
    def asks(self) -> tuple[str, ...]:
        """Columns that somebody brings who asks: the turns, or a column for each but the last; the tools."""
        turns = (self.messages,) if self.turns is None else tuple(turn.column for turn in self.turns[:-1])
        return (*turns, *([self.tools] if self.tools else []))

    def awaiting(self, values: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Turns of somebody who asks, as rows of training have them: with a last turn for the answer to stand in.

        Turns are those that `work` reads; a text that is no list of turns is what a user says. Steps of training take
        such rows, and `asked` takes the last turn away again.

        Returns:
            Turns as JSON, null where there are none; and whether the assistant's last turn was left out for it.
        """
        told = [_awaiting(value) for value in values.to_list()]
        found = [None if turns is None else orjson.dumps(turns).decode() for turns, _ in told]
        named = pl.Series(values.name, found, dtype=pl.String)
        return named, pl.Series([answered for _, answered in told], dtype=pl.Boolean)

    def asked(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Rows of somebody who asks, with the turns up to what the assistant is to say.

        Args:
            rows: With the columns `asks`; turns as `awaiting` gave them.

        Returns:
            The rows with the turns in one form, and why training would have left out each (null where it would not).
            What cannot be read as turns has none.
        """
        named = [self.messages] if self.turns is None else [turn.column for turn in self.turns[:-1]]
        told = [self._read_asked(*values) for values in rows.select(named).iter_rows()]
        turns = pl.Series(self.messages, [turns for turns, _ in told], dtype=TURNS)
        return rows.with_columns(turns), pl.Series([reason for _, reason in told], dtype=pl.String)

    @property
    def answer(self) -> str | None:
        """What the assistant says stands among the turns."""
        return self.messages

    def work(self) -> pl.Expr:
        """Turns in one form."""
        told = {"turn": pl.Int64, "role": pl.String}
        if self.turns is None:
            return read_each([self.messages], self._read, {self.messages: TURNS}, told)
        return read_each([turn.column for turn in self.turns], self._join, {self.messages: TURNS}, told)

    def measures(self) -> Mapping[str, pl.Expr]:
        """Turns, and how much each side says."""
        turns = pl.col(self.messages)

        def said(role: str) -> pl.Expr:
            of_role = pl.element().filter(pl.element().struct.field("role") == role)
            return turns.list.eval(of_role.struct.field("content").str.len_chars()).list.sum()

        return {"turns": turns.list.len(), "user characters": said("user"), "assistant characters": said("assistant")}

    def _join(self, *said: Any) -> dict[str, Any]:
        assert self.turns is not None
        spoken = zip(self.turns, said, strict=True)
        return self._judged([_turn(turn.role, str(text)) for turn, text in spoken if says_something(text)])

    def _read(self, value: Any) -> dict[str, Any]:
        if value is None or value == "":
            raise Unreadable("no_turns")
        return self._judged([_read_turn(place, turn) for place, turn in enumerate(listed(value, "not_turns"), 1)])

    def _read_asked(self, *said: Any) -> tuple[list[dict[str, Any]], str | None]:
        """Turns without the one to come, and the rule that they break."""
        try:
            if self.turns is None:
                (value,) = said
                if value is None:
                    raise Unreadable("no_turns")
                turns = [_read_turn(place, turn) for place, turn in enumerate(listed(value, "not_turns"), 1)][:-1]
            else:
                spoken = zip(self.turns, said, strict=False)
                turns = [_turn(turn.role, str(text)) for turn, text in spoken if says_something(text)]
        except Unreadable as verdict:
            return [], verdict.reason
        if not turns:
            return [], "no_turns"
        return turns, next((reason for reason, _ in self._broken([*turns, _turn("assistant", _TO_COME)])), None)

    def _judged(self, turns: list[dict[str, Any]]) -> dict[str, Any]:
        """The turns, unless they break a rule."""
        for reason, place in self._broken(turns):
            role = turns[place - 1]["role"] if place else None
            raise Unreadable(reason, turn=place or None, role=role)
        return {self.messages: turns}

    def _broken(self, turns: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
        """Rules that are broken, with the turn, from 1; 0 where it is none of them."""
        if not turns:
            yield "no_turns", 0
        called: set[str] = set()
        for place, turn in enumerate(turns, 1):
            if turn["role"] == "system" and place > 1:
                yield "system_not_first", place
            if not says_something(turn["content"]) and not turn["tool_calls"]:
                yield "empty_turn", place
            if turn["role"] == "tool" and not called:
                yield "tool_without_call", place
            if turn["role"] == "assistant" and turn["tool_calls"]:
                called.add(str(place))
        if not any(turn["role"] == "user" for turn in turns):
            yield "no_user", 0
        if turns and turns[-1]["role"] != "assistant":
            yield "not_ended_by_assistant", len(turns)
        if self.most_turns is not None and len(turns) > self.most_turns:
            yield "too_many_turns", self.most_turns + 1


def _awaiting(value: Any) -> tuple[list[Any] | None, bool]:
    """Turns with one to come, and whether the assistant's last was left out; none of nothing."""
    if value is None:
        return None, False
    turns = value
    if isinstance(value, str):
        if not value.strip():
            return None, False
        try:
            turns = orjson.loads(value) if value.lstrip().startswith("[") else None
        except orjson.JSONDecodeError:
            turns = None
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            turns = [{"role": "user", "content": value}]
    if not isinstance(turns, list):
        return None, False
    last = turns[-1] if turns and isinstance(turns[-1], dict) else {}
    answered = ROLES.get(str(last.get("role", last.get("from"))).strip().lower()) == "assistant"
    kept = turns[:-1] if answered else turns
    return [*kept, {"role": "assistant", "content": _TO_COME}], answered


def _turn(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    fields = dict.fromkeys(field.name for field in TURNS.inner.fields)  # type: ignore[union-attr]
    return {**fields, "role": role, "content": content, **more}


def _read_turn(place: int, turn: Any) -> dict[str, Any]:
    if not isinstance(turn, dict):
        raise Unreadable("not_turns", turn=place)
    named = turn.get("role", turn.get("from"))
    role = ROLES.get(named.strip().lower()) if isinstance(named, str) else None
    if role is None:
        raise Unreadable("unknown_role", turn=place, role=str(named)[:40])
    return _turn(
        role,
        _said(turn.get("content", turn.get("value")), place),
        name=_text(turn.get("name"), place),
        tool_calls=_calls(turn.get("tool_calls") or turn.get("function_call"), place),
        tool_call_id=_text(turn.get("tool_call_id"), place),
        weight=_weight(turn.get("weight"), place),
    )


def _calls(value: Any, place: int) -> str | None:
    """Calls of tools as JSON; none where the list is empty."""
    found = parsed(value, "not_turns") if value else None
    if found and not isinstance(found, list | dict):
        raise Unreadable("not_turns", turn=place)
    return (value if isinstance(value, str) else orjson.dumps(value).decode()) if found else None


def _weight(value: Any, place: int) -> int | None:
    """A whole number, since 0 says that nothing is learned: half a weight must not become none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):  # so tables say that there is none
        return None
    if not isinstance(value, int | float) or not -(2**63) <= value < 2**63 or int(value) != value:
        raise Unreadable("bad_weight", turn=place)
    return int(value)


def _said(content: Any, place: int) -> str | None:
    """What a turn says; parts of text are joined."""
    if isinstance(content, list):
        parts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        if len(parts) < len(content):
            raise Unreadable("not_turns", turn=place)
        return "".join(parts)
    return _text(content, place)


def _text(value: Any, place: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Unreadable("not_turns", turn=place)
