"""Chat templates: turns as the text that a model was taught to read them in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from seedbed.core.errors import DataError, RecipeError

from .tokens import Tokens

Turns = Sequence[Mapping[str, Any]]

#: ChatML, for tokenizers without a template of their own.
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + (message['content'] or '') "
    "+ '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
#: Around what a template marks as the assistant's: no characters of Unicode. Turns that hold them are not written.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"


class NotRendered(Exception):
    """A template does not take these turns; the text says why."""


@dataclass(frozen=True)
class Rendered:
    """Turns as one text."""

    text: str
    spoken: tuple[tuple[int, int, int], ...]
    """For each of the assistant's turns: its place among the turns, and its characters, from and up to."""


class ChatTemplate:
    """A chat template, as `transformers` runs it: Jinja without access to anything but the turns.

    Args:
        text: The template.
        specials: Special tokens as they are written, by name (`bos_token`, …).

    Raises:
        RecipeError: It is no template.
    """

    def __init__(self, text: str, specials: Mapping[str, str] | None = None) -> None:
        import jinja2

        self.text, self._specials = text, dict(specials or {})
        self._marks = "endgeneration" in text
        try:
            self._template = _environment().from_string(text)
        except jinja2.TemplateError as error:
            raise RecipeError(
                f"is no chat template: {str(error)[:120]}", hint="Jinja, as transformers has it"
            ) from None

    @classmethod
    def of(cls, tokens: Tokens, text: str | None = None, at: str = "") -> ChatTemplate:
        """A tokenizer's own template, or another with its special tokens.

        Args:
            tokens: The tokenizer.
            text: Another template; `chatml` for ChatML.
            at: Where a recipe names it.

        Raises:
            RecipeError: It has none, and none is given.
        """
        text = CHATML if text == "chatml" else text or tokens.chat_template
        if text is None:
            hint = "template: chatml, or a Jinja template"
            raise RecipeError(f"the tokenizer has no chat template ({tokens.name})", at=at, hint=hint)
        named = {f"{name}_token": id for name, id in vars(tokens.specials).items() if id is not None}
        return cls(text, {name: tokens.written(id) for name, id in named.items()})

    def write(self, turns: Turns, tools: Sequence[Any] | None = None, *, prompt: bool = False) -> str:
        """Turns as text.

        Args:
            turns: With `role` and `content`; fields that are none are left out.
            tools: Their descriptions.
            prompt: Whether the text ends where the assistant is to begin.

        Raises:
            NotRendered: The template does not take them.
        """
        text = self._written(turns, tools, prompt)
        return text.replace(_OPEN, "").replace(_CLOSE, "") if self._marks else text

    def render(self, turns: Turns, tools: Sequence[Any] | None = None) -> Rendered:
        """Turns as text, and which of it the assistant says, its end marker included.

        A template that marks that (`{% generation %}`) is believed; else it is what comes after the prompt for each of
        the assistant's turns, without white space at the end.

        Raises:
            NotRendered: The template does not take them, or writes earlier turns otherwise once others follow.
        """
        assistants = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
        if self._marks:
            return _marked(self._written(turns, tools, False), assistants)
        whole = self.write(turns, tools)
        spoken = []
        for place in assistants:
            before = self.write(turns[:place], tools, prompt=True)
            until = self.write(turns[: place + 1], tools)
            if not (until.startswith(before) and whole.startswith(until)):
                raise NotRendered("the template writes earlier turns otherwise when others follow")
            spoken.append((place, len(before), len(before) + len(until[len(before) :].rstrip())))
        return Rendered(whole, tuple(spoken))

    def _written(self, turns: Turns, tools: Sequence[Any] | None, prompt: bool) -> str:
        messages = [{key: value for key, value in turn.items() if value is not None} for turn in turns]
        if self._marks and any(mark in str(turn.get("content")) for turn in messages for mark in (_OPEN, _CLOSE)):
            raise NotRendered("a turn holds U+FDD0 or U+FDD1, which are no characters of text")
        try:
            said = self._template.render(
                messages=messages, tools=tools, documents=None, add_generation_prompt=prompt, **self._specials
            )
        except Exception as error:  # noqa: BLE001 (a template may do anything with turns that it did not expect)
            raise NotRendered((str(error).splitlines() or [type(error).__name__])[0][:160]) from None
        return str(said)


def as_messages(turns: Turns) -> list[dict[str, Any]]:
    """Turns in a task's own form as templates expect them: calls of tools as objects, nothing that is none.

    Raises:
        DataError: Calls are no JSON.
    """
    found = []
    for turn in turns:
        one = {key: value for key, value in turn.items() if value is not None and key != "weight"}
        if calls := one.get("tool_calls"):
            try:
                one["tool_calls"] = json.loads(calls) if isinstance(calls, str) else calls
            except ValueError:
                raise DataError("calls of tools are no JSON", hint="as the task `chat` writes them") from None
        found.append(one)
    return found


def _marked(text: str, assistants: Sequence[int]) -> Rendered:
    spans: list[tuple[int, int]] = []
    pieces, length, start = [], 0, 0
    for piece in text.replace(_CLOSE, _CLOSE + _OPEN).split(_OPEN):
        inside = piece.endswith(_CLOSE)
        said = piece.removesuffix(_CLOSE)
        start, length = length, length + len(said)
        pieces.append(said)
        if inside:
            spans.append((start, length))
    if len(spans) != len(assistants):
        raise NotRendered(f"the template marks {len(spans)} pieces as the assistant's, of {len(assistants)} turns")
    spoken = tuple((place, *span) for place, span in zip(assistants, spans, strict=True))
    return Rendered("".join(pieces), spoken)


@lru_cache(maxsize=1)
def _environment() -> Any:
    import jinja2
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 (as Jinja declares it)

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

        def _mark(self, caller: Any) -> str:
            return f"{_OPEN}{caller()}{_CLOSE}"

    def refuse(message: str) -> NoReturn:
        raise jinja2.TemplateError(message)

    def to_json(value: Any, ensure_ascii: bool = False, **more: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, **more)  # HTML is not escaped

    found = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    found.filters["tojson"] = to_json
    found.globals["raise_exception"] = refuse
    found.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return found
