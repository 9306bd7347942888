"""What fine-tuning services refuse is found before the upload, by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.checks import ChatRules
from seedbed.core.chatting.models import model_named
from seedbed.core.chatting.rules import RULES, broken, texts_of
from seedbed.core.chatting.verdict import Verdict
from seedbed.core.check import SPLIT, Finding, View
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.core.part import BASE
from seedbed.core.task import Chat, TextClassification, TextToText
from seedbed.recipe.loading import parse

USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "content": "rain", "tool_call_id": "c1"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {}}}


def said(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


@pytest.mark.parametrize(
    "example",
    [
        said(USER, ASSISTANT),
        said(
            {"role": "system", "content": "Be brief."},
            USER,
            {**ASSISTANT, "weight": 0},
            USER,
            {**ASSISTANT, "weight": 1},
        ),
        said({"role": "developer", "content": "Be brief."}, {**USER, "name": "ann_1"}, ASSISTANT),
        said(USER, CALLING, TOLD, ASSISTANT, tools=[WEATHER]),
        said(USER, CALLING, tools=[WEATHER]),
        said({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ASSISTANT),
    ],
    ids=["plain", "weights", "names", "a call", "a call at the end", "parts"],
)
def test_what_services_take(example: dict[str, Any]) -> None:
    assert list(broken(example)) == []


@pytest.mark.parametrize(
    ("rule", "place", "example"),
    [
        ("no_messages", 0, {"prompt": "Hi", "completion": "Hello!"}),
        ("no_messages", 0, said()),
        ("no_messages", 0, said("Hi")),
        ("unknown_role", 1, said({"role": "human", "content": "Hi"}, ASSISTANT)),
        ("unknown_key", 1, said({**USER, "text": "Hi"}, ASSISTANT)),
        ("no_content", 2, said(USER, {"role": "assistant", "content": None})),
        ("no_content", 1, said({"role": "user", "content": ""}, ASSISTANT)),
        ("bad_name", 1, said({**USER, "name": "Ann Lee"}, ASSISTANT)),
        ("bad_weight", 2, said(USER, {**ASSISTANT, "weight": 0.5})),
        ("bad_weight", 2, said(USER, {**ASSISTANT, "weight": True})),
        ("weight_elsewhere", 1, said({**USER, "weight": 1}, ASSISTANT)),
        ("no_assistant", 0, said(USER)),
        ("not_ended_by_assistant", 3, said(USER, ASSISTANT, USER)),
        ("nothing_to_learn", 0, said(USER, {**ASSISTANT, "weight": 0})),
        (
            "bad_call",
            2,
            said(USER, {**CALLING, "tool_calls": [{**CALL, "function": {"name": "w", "arguments": "{x"}}]}),
        ),
        ("bad_call", 2, said(USER, {**CALLING, "tool_calls": [{"id": "c1"}]})),
        ("bad_call", 2, said(USER, {**CALLING, "tool_calls": "no JSON"})),
        ("call_without_answer", 2, said(USER, CALLING, ASSISTANT)),
        ("answer_without_call", 2, said(USER, TOLD, ASSISTANT)),
        ("answer_without_call", 3, said(USER, CALLING, {**TOLD, "tool_call_id": "c2"}, ASSISTANT)),
        ("bad_tools", 0, said(USER, ASSISTANT, tools=[{"name": "weather"}])),
        ("unknown_tool", 2, said(USER, CALLING, TOLD, ASSISTANT, tools=[{**WEATHER, "function": {"name": "stocks"}}])),
    ],
)
def test_each_rule(rule: str, place: int, example: dict[str, Any]) -> None:
    assert (rule, place) in list(broken(example))


def test_one_fault_is_told_as_one() -> None:
    garbled = {**CALLING, "tool_calls": [{**CALL, "function": {"name": "weather", "arguments": "{x"}}]}
    assert list(broken(said(USER, garbled, TOLD, ASSISTANT))) == [("bad_call", 2)]


def test_every_rule_is_told_and_tested() -> None:
    tested = {mark[0] for mark in test_each_rule.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert tested == set(RULES)


TAKEN = test_what_services_take.pytestmark[0].args[1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("example", TAKEN)
def test_what_services_take_is_what_their_client_describes(example: dict[str, Any]) -> None:
    """The types of OpenAI's own client, which nobody here wrote."""
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
    from pydantic import TypeAdapter

    for message in example["messages"]:
        told = {key: value for key, value in message.items() if key != "weight"}  # of fine-tuning alone
        TypeAdapter(ChatCompletionMessageParam).validate_python(told)
    for tool in example.get("tools", ()):
        TypeAdapter(ChatCompletionToolParam).validate_python(tool)


KEYS = ["messages", "role", "content", "name", "weight", "tools", "type"]
KEYS += ["tool_calls", "tool_call_id", "id", "function", "arguments"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "user", "assistant", "tool", "c1", "{}", "x y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "role",
                    "content",
                    "name",
                    "weight",
                    "tool_calls",
                    "tool_call_id",
                    "id",
                    "function",
                    "arguments",
                    "tools",
                    "type",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.lists(st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "name", "weight"]), JSON)))
def test_whatever_stands_in_a_line_is_told_and_nothing_fails(odd: Any, messages: list[Any]) -> None:
    for example in (odd, {"messages": messages, "tools": odd}):
        told = list(broken(example))
        assert {rule for rule, _ in told} <= set(RULES) and len(told) == len(set(told))
        Verdict(model_named("gpt-4o")).look(["r1"], [example])


# The check


def rows(talks: list[Any], splits: list[str] | None = None, **more: list[Any]) -> pl.LazyFrame:
    ids = [f"0:chat.jsonl#{place}" for place in range(1, len(talks) + 1)]
    told = {"row": ids, "messages": [json.dumps(one) for one in talks], **more}
    return pl.DataFrame({**told, **({SPLIT: splits} if splits else {})}).lazy()


def found(talks: list[Any], splits: list[str] | None = None, **options: Any) -> Finding:
    return ChatRules(**options).find(View(rows=rows(talks, splits), task=Chat()))


GOOD = [USER, ASSISTANT]


def test_rows_are_named_and_those_of_test_are_nobodys_business() -> None:
    bad = [USER, ASSISTANT, USER]
    finding = found([*[GOOD] * 10, bad, bad, bad], [*["train"] * 11, "validation", "test"])
    assert not finding.passed and finding.value == 2
    assert finding.rows == ("0:chat.jsonl#11", "0:chat.jsonl#12")
    assert "1 example does not end with the assistant (first 0:chat.jsonl#11, message 3)" in finding.message
    assert found([*[GOOD] * 10, bad], [*["train"] * 10, "test"]).passed


def test_what_is_no_conversation_at_all() -> None:
    odd: list[Any] = ["a text", None, 3, [], ["Hi"], {"messages": []}]
    finding = found([*odd, *[GOOD] * 10])
    assert f"{len(odd)} examples have no list of messages (first 0:chat.jsonl#1)" in finding.message
    plain = pl.DataFrame({"row": ["r1", "r2"], "messages": ["no JSON", None]}).lazy()
    assert ChatRules().find(View(rows=plain, task=Chat())).rows == ("r1", "r2")


def test_at_least_ten_to_train_on() -> None:
    assert "9 examples, and at least 10 are needed" in found([GOOD] * 10, [*["train"] * 9, "validation"]).message
    assert found([GOOD] * 11, [*["train"] * 10, "validation"]).passed


def test_tokens_are_held_against_the_model() -> None:
    long = [USER, {"role": "assistant", "content": "word " * 4_200}]
    finding = found([*[GOOD] * 10, long], model="gpt-3.5-turbo-0613")
    assert "1 example has more than 4,096 tokens (first 0:chat.jsonl#11)" in finding.message
    assert finding.rows == ("0:chat.jsonl#11",)
    assert found([*[GOOD] * 10, long], model="gpt-4o-mini").passed, "by another name, and with more room"
    assert found([*[GOOD] * 10, long], model="ft:gpt-4o-mini-2024-07-18:us::1").passed


def test_a_tokenizer_counts_as_the_service_does() -> None:
    """By hand: 3 for the example, 3 for each message, and the tokens of roles and contents."""
    pytest.importorskip("tiktoken")
    texts, more = texts_of(said(USER, ASSISTANT))
    assert (texts, more) == (["user", "Hi", "assistant", "Hello!"], 9)
    finding = found([GOOD] * 10, model="gpt-3.5-turbo-0125")
    assert "140 tokens, at most 14 in one" in finding.message and "about 140" not in finding.message
    assert "3 epochs would cost about 0.00 USD" in finding.message
    assert "about" in found([GOOD] * 10).message, "without a model tokens are estimated"
    bytes_counted = found([GOOD] * 10, tokenizer={"use": "bytes"})
    assert f"{10 * (9 + len('userHiassistantHello!'))} tokens" in bytes_counted.message


def test_a_table_of_ones_own_goes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(
        "models: {gpt-4o-mini-2024-07-18: "
        "{example_tokens: 10, job_tokens: 20, file_bytes: 50, price: 1000, currency: EUR}}"
    )
    options = {"use": "chat_rules", "model": "gpt-4o-mini-2024-07-18", "models": "models.yaml", "epochs": 5}
    check = ChatRules.model_validate(options, context={BASE: tmp_path})
    finding = check.find(View(rows=rows([GOOD] * 10), task=Chat()))
    told = finding.message
    assert finding.value == 3 and told.startswith("10 examples have more than 10 tokens (first 0:chat.jsonl#1)")
    for part in (
        "more than 10 tokens",
        "in 5 epochs, and at most 20",
        "at most 50",
        "5 epochs would cost about",
        "EUR",
    ):
        assert part in told.replace("\u00a0", " "), part


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (None, DataError, "cannot be read"),
        ("models: {m: {tokens: 3}}", RecipeError, "models.m.tokens"),
        ("models: [", RecipeError, "m.yaml"),
        ("- m", RecipeError, "the whole"),
    ],
)
def test_tables_that_are_none(text: str | None, error: type[SeedbedError], told: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(error, match=told) as caught:
        model_named("m", tmp_path / "m.yaml")
    assert "m.yaml" in str(caught.value) and len(str(caught.value).splitlines()) <= 5


def test_our_table_says_where_its_numbers_stand() -> None:
    for name in ("gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo", "gpt-3.5-turbo-1106", "gpt-3.5-turbo-0613"):
        known = model_named(name)
        assert known and known.source.startswith("https://") and known.as_of and known.example_tokens, name
    assert model_named("llama") is None
    assert "No limits of 'llama' are known" in found([GOOD] * 10, model="llama").message


def test_other_tasks() -> None:
    pairs = pl.DataFrame({"row": [f"r{i}" for i in range(10)], "a": ["x"] * 10, "b": [*["y"] * 9, ""]}).lazy()
    finding = ChatRules().find(View(rows=pairs, task=TextToText(text="a", target="b")))
    assert finding.rows == ("r9",) and "says nothing" in finding.message
    labelled = View(rows=pairs, task=TextClassification(kind="text_classification", text="a", label="b"))
    with pytest.raises(RecipeError, match="are no conversations"):
        ChatRules().find(labelled)


def test_a_recipe_for_rows_that_are_no_conversations_is_refused_when_it_is_read() -> None:
    recipe: dict[str, Any] = {
        "seedbed": 1,
        "name": "x",
        "task": {"kind": "regression", "text": "a", "target": "b"},
        "sources": [{"use": "csv", "path": "x.csv"}],
        "checks": [{"use": "chat_rules"}],
    }
    with pytest.raises(RecipeError, match="rows of regression are no conversations") as caught:
        parse(recipe)
    assert "checks.0.use" in str(caught.value)
    parse({**recipe, "checks": [{"use": "chat_rules", "messages": "talk"}]})
