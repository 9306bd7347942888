"""Chat templates: what they write, what the assistant says of it, and what they may not do."""

from __future__ import annotations

from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.tokenizing import BytesTokenizer, ChatTemplate
from seedbed.core.tokenizing.templates import NotRendered, as_messages

TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!  "},
    {"role": "user", "content": "Bye"},
    {"role": "assistant", "content": "Bye."},
]
MARKED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}[A]{% generation %}{{ m.content }}</s>{% endgeneration %}"
    "{% else %}[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}"
)


def _said(template: ChatTemplate, turns: Any = TURNS) -> list[tuple[int, str]]:
    found = template.render(turns)
    assert found.text == template.write(turns)
    return [(place, found.text[start:end]) for place, start, end in found.spoken]


def test_chatml_says_what_the_assistant_says() -> None:
    template = ChatTemplate.of(BytesTokenizer().open(), "chatml")
    assert _said(template) == [(2, "Hello!  <|im_end|>"), (4, "Bye.<|im_end|>")]
    assert template.write(TURNS[:2], prompt=True).endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")


def test_a_template_that_marks_it_is_believed() -> None:
    assert _said(ChatTemplate(MARKED)) == [(2, "Hello!  </s>"), (4, "Bye.</s>")]
    with pytest.raises(NotRendered, match="marks 1 pieces as the assistant's, of 2"):
        ChatTemplate("{% generation %}x{% endgeneration %}").render(TURNS)


def test_special_tokens_and_fields_that_are_none() -> None:
    template = ChatTemplate(
        "{{ eos_token }}{% for m in messages %}{{ m is mapping }}{{ 'name' in m }}{% endfor %}", {"eos_token": "<e>"}
    )
    assert template.write([{"role": "user", "content": "x", "name": None}]) == "<e>TrueFalse"
    assert ChatTemplate("{{ tools | tojson }}").write([], [{"a": "<ü>"}]) == '[{"a": "<ü>"}]'


def test_a_template_that_rewrites_earlier_turns_is_refused() -> None:
    rewriting = "{% for m in messages %}{{ m.content if loop.last else '' }}{% endfor %}"
    with pytest.raises(NotRendered, match="earlier turns otherwise"):
        ChatTemplate(rewriting).render(TURNS)


def test_a_template_says_itself_what_it_does_not_take() -> None:
    with pytest.raises(NotRendered, match="no system turn"):
        ChatTemplate("{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}").write(
            TURNS
        )
    with pytest.raises(RecipeError, match="no chat template"):
        ChatTemplate("{% for %}")
    with pytest.raises(RecipeError, match="has no chat template"):
        ChatTemplate.of(BytesTokenizer().open())


@pytest.mark.parametrize(
    "attack",
    ["{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ messages.append(1) }}", "{{ cycler.__init__.__globals__ }}"],
)
def test_a_template_reaches_nothing_else(attack: str) -> None:
    with pytest.raises(NotRendered, match=r"unsafe|immutable|not safely"):
        ChatTemplate(attack).write(TURNS)


def test_calls_of_tools_are_objects() -> None:
    turn = {"role": "assistant", "content": None, "tool_calls": '[{"id": "1"}]', "weight": 1}
    assert as_messages([turn]) == [{"role": "assistant", "tool_calls": [{"id": "1"}]}]


def test_a_turn_cannot_mark_itself_as_the_assistants() -> None:
    for content in ("a\ufdd0b", "\ufdd1"):
        with pytest.raises(NotRendered, match="U\\+FDD0"):
            ChatTemplate(MARKED).render([*TURNS[:-1], {**TURNS[-1], "content": content}])
