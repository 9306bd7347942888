"""Turns as a language model reads them: token by token, with what the assistant says marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seedbed.core.errors import ModelError
from seedbed.core.tokenizing.templates import ChatTemplate, NotRendered, as_messages

from .asked import Turns
from .objective import IGNORED, Row

#: For tokenizers without a template of their own; needs no token but the one that ends a text.
PLAIN = (
    "{% for message in messages %}{{ message['role'] + ':\n' + (message['content'] or '') }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}"
)


class Script:
    """How a tokenizer's model is spoken to: its own chat template, else a plain one.

    Pieces of a conversation that the assistant says and those that it hears are cut into tokens by themselves, so that
    what it learned from and what it is asked with are the same tokens.

    Raises:
        ModelError: No token ends a text, so that the model could not say that it is done.
    """

    def __init__(self, tokenizer: Any, most: int) -> None:
        self._tokenizer, self._most = tokenizer, most
        if tokenizer.eos_token_id is None:
            raise ModelError(
                "its tokenizer has no token that ends a text", at="pretrained", hint="name a network that writes texts"
            )
        told = tokenizer.chat_template
        told = told.get("default") if isinstance(told, dict) else told
        named = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
        self._template = ChatTemplate(told or PLAIN, named)

    def learned(self, turns: Turns, tools: str | None = None) -> Row | None:
        """A conversation with its tokens as `labels` where the assistant says them; the last `most` tokens of it.

        Turns of weight 0 are heard and not learned. None where the template does not take it, or nothing is learned.
        """
        try:
            whole = self._template.render(as_messages(turns), _tools(tools))
        except NotRendered:
            return None
        ids: list[int] = []
        labels: list[int] = []
        at = 0
        for turn, start, end in whole.spoken:
            heard, said = self._encode(whole.text[at:start]), self._encode(whole.text[start:end])
            ids += heard + said
            labels += [IGNORED] * len(heard) + (said if turns[turn].get("weight") != 0 else [IGNORED] * len(said))
            at = end
        ids, labels = ids[-self._most :], labels[-self._most :]
        if all(label == IGNORED for label in labels[1:]):
            return None
        return {"input_ids": ids, "labels": labels}

    def prompt(self, turns: Turns, tools: str | None, most: int) -> list[int] | None:
        """Turns up to where the assistant is to begin, the last `most` tokens; none where the template refuses them."""
        try:
            whole = self._template.render(as_messages(turns), _tools(tools))
            text = self._template.write(as_messages(turns), _tools(tools), prompt=True)
        except NotRendered:
            return None
        ids: list[int] = []
        at = 0
        for _, start, end in whole.spoken:
            ids += self._encode(text[at:start]) + self._encode(text[start:end])
            at = end
        return (ids + self._encode(text[at:]))[-most:]

    def ends(self) -> list[int]:
        """Ids of tokens that end what the assistant says."""
        found = {self._tokenizer.eos_token_id}
        try:
            told = self._template.render([{"role": "user", "content": "x"}, {"role": "assistant", "content": "x"}])
        except NotRendered:
            return sorted(found)
        _, start, end = told.spoken[-1]
        after = self._encode(told.text[start:end].removeprefix("x"))
        return sorted(found | set(after[:1]) & set(self._tokenizer.all_special_ids))

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] if text else []
        return ids


def _tools(said: str | None) -> Sequence[Any] | None:
    found = json.loads(said) if said else None
    return found or None
