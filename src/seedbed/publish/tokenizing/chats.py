"""Conversations as a chat template writes them; what the assistant says is learned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.core.rows import ROW
from seedbed.core.task import Chat, Task
from seedbed.core.tokenizing import ChatTemplate, Encoded, Rendered, Tokens
from seedbed.core.tokenizing.templates import NotRendered, as_messages

from .form import SPELLED, Asked, Form
from .losses import Losses
from .windows import SKIPPED
from .writing import Made

Turns = Sequence[Mapping[str, Any]]


@dataclass
class _Talk:
    """A conversation on its way."""

    row: str
    turns: list[Mapping[str, Any]]
    tools: Any
    rendered: Rendered | None = None
    refused: str = ""
    cut: int = 0
    """Turns that were taken away."""


@dataclass(frozen=True)
class _Batch:
    talks: list[_Talk]
    """Those that can be written."""
    refused: list[_Talk]
    encoded: Encoded
    before: list[int]
    """Tokens of each before turns were taken away."""


class Chats(Form):
    """A row a conversation."""

    model: ClassVar[str] = "decoder"

    def __init__(self, task: Task, tokens: Tokens, asked: Asked) -> None:
        super().__init__(task, tokens, asked)
        self._template = ChatTemplate.of(tokens, asked.template, at="template")

    def encode(self, batch: pl.DataFrame) -> _Batch:
        """Conversations as text and as ids; those that are too long lose their oldest turns."""
        assert isinstance(self.task, Chat)
        tools = batch[self.task.tools].to_list() if self.task.tools else [None] * batch.height
        given = zip(batch[ROW].to_list(), batch[self.task.messages].to_list(), tools, strict=True)
        talks = [_Talk(row, list(turns), _tools(of)) for row, turns, of in given]
        for talk in talks:
            self._shorten(talk)
            self._render(talk)
        there = [talk for talk in talks if not talk.refused]
        lengths = self.tokens.count([talk.rendered.text for talk in there if talk.rendered]).tolist()
        for talk, length in zip(there, lengths, strict=True):
            self._fit(talk, length)
        before = [length for talk, length in zip(there, lengths, strict=True) if not talk.refused]
        there = [talk for talk in there if not talk.refused]
        encoded = self.tokens.encode([talk.rendered.text for talk in there if talk.rendered], spans=True)
        return _Batch(there, [talk for talk in talks if talk.refused], encoded, before)

    def made(self, encoded: _Batch, losses: Losses) -> Iterator[Made]:
        """The assistant's tokens are labels; all others are skipped."""
        for talk in encoded.refused:
            losses.reject(talk.refused, talk.row)
        found = encoded.encoded
        labels = np.full(len(found.ids), SKIPPED, np.int32)
        for place, talk in enumerate(encoded.talks):
            assert talk.rendered is not None and found.spans is not None
            start, end = int(found.bounds[place]), int(found.bounds[place + 1])
            for learned in _learned(talk, found.spans[start:end]):
                labels[start:end][learned] = found.ids[start:end][learned]
        losses.counted[SPELLED] += sum(self._spells(talk) for talk in encoded.talks)
        before = np.array(encoded.before, np.int64)
        losses.see(before, before - found.lengths)
        losses.counted["conversations_cut"] += sum(talk.cut > 0 for talk in encoded.talks)
        losses.counted["turns_cut"] += sum(talk.cut for talk in encoded.talks)
        losses.counted["tokens_learned"] += int((labels != SKIPPED).sum())
        columns: dict[str, NDArray[Any]] = {
            "input_ids": found.ids,
            "attention_mask": np.ones(len(labels), np.int8),
            "labels": labels,
        }
        rows = {
            ROW: pa.array([talk.row for talk in encoded.talks], pa.string()),
            "turns_cut": pa.array([talk.cut for talk in encoded.talks], pa.int32()),
        }
        yield Made(found.bounds, columns, rows)

    def _spells(self, talk: _Talk) -> bool:
        """Whether a turn holds a special token, which would end it, or begin another."""
        said = [turn["content"] or "" for turn in talk.turns]
        return any(name in text for name in self.tokens.control for text in said)

    def _shorten(self, talk: _Talk) -> None:
        """Take away the oldest turns of those that are too many."""
        most = self.asked.most_turns
        while most is not None and len(talk.turns) > most and not talk.refused:
            self._take_away(talk, "too_many_turns")

    def _fit(self, talk: _Talk, length: int) -> None:
        """Take away the oldest turns until the tokens fit."""
        while length > self.asked.most_tokens and not talk.refused:
            self._take_away(talk, "too_many_tokens")
            self._render(talk)
            if talk.rendered and not talk.refused:
                length = int(self.tokens.count([talk.rendered.text])[0])

    def _take_away(self, talk: _Talk, reason: str) -> None:
        """Take away the oldest exchange: from the first turn that is not the system's to the user's next."""
        first = 1 if talk.turns[0]["role"] == "system" else 0
        users = [place for place, turn in enumerate(talk.turns) if turn["role"] == "user" and place > first]
        if self.asked.too_long == "reject" or not users:
            talk.refused = reason
            return
        talk.cut += users[0] - first
        talk.turns = talk.turns[:first] + talk.turns[users[0] :]

    def _render(self, talk: _Talk) -> None:
        if talk.refused:
            return
        try:
            talk.rendered = self._template.render(as_messages(talk.turns), talk.tools)
        except NotRendered as why:
            talk.refused = f"template: {why}"
            return
        if not any(_weight(talk.turns[place]) for place, _, _ in talk.rendered.spoken):
            talk.refused = "nothing_to_learn"


def _learned(talk: _Talk, spans: Any) -> Iterator[slice]:
    """Tokens of what the assistant says, turns of weight 0 left out."""
    assert talk.rendered is not None
    for place, begin, end in talk.rendered.spoken:
        if _weight(talk.turns[place]):
            # A token that begins before and reaches in is of the prompt; spans ascend.
            first = int(np.searchsorted(spans[:, 0], begin, side="left"))
            yield slice(first, int(np.searchsorted(spans[:, 0], end, side="left")))


def _weight(turn: Mapping[str, Any]) -> bool:
    return turn.get("weight") != 0


def _tools(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) or None
    except ValueError:
        return None
