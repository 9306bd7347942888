"""One table over every task: each is well formed, its examples are true, and no row makes it fail."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seedbed.core.task import AnyTask, Chat, QuestionAnswering, Regression, TabularRegression, Task
from seedbed.core.values import said

TASKS: list[type[Task]] = list(get_args(get_args(AnyTask)[0]))
READ = TypeAdapter[Task](AnyTask)
CASES = [(task, example) for task in TASKS for example in task.examples]


def name_of(task: type[Task]) -> str:
    return str(task.model_fields["kind"].default)


def outcome(task: Task, rows: pl.DataFrame) -> dict[str, list[Any]]:
    """The reason of each row, and the columns that the task writes."""
    work = rows.select(work=task.work()).to_series().struct
    found = {"refused": work.field("reason").to_list()}
    if task.written:
        found |= {name: work.field("columns").struct.field(name).to_list() for name in task.written}
    return found


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_is_well_formed(task: type[Task]) -> None:
    page = inspect.getdoc(task) or ""
    assert task.summary().endswith((".", ":")) or "." in task.summary()
    assert "## Why" in page and "## Limits" in page
    assert task.examples
    assert all(field.description for field in task.model_fields.values())
    reasons = {reason for example in task.examples for reason in example.after["refused"] if reason}
    assert all(f"`{reason}`" in page for reason in reasons)


@pytest.mark.parametrize(("task", "example"), CASES, ids=[f"{name_of(task)}-{one.title}" for task, one in CASES])
def test_examples_are_true(task: type[Task], example: Any) -> None:
    read = READ.validate_python({"kind": name_of(task), **example.options})
    rows = pl.DataFrame(example.before, strict=False)
    found = outcome(read, rows)
    assert {name: found[name] for name in example.after} == example.after
    alone = [outcome(read, rows[place]) for place in range(rows.height)]
    assert {name: [one[name][0] for one in alone] for name in found} == found, "batches do not matter"


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_reading_again_changes_nothing(task: type[Task]) -> None:
    """What a task wrote, it reads as the same: a dataset can be a source."""
    for example in task.examples:
        read = READ.validate_python({"kind": name_of(task), **example.options})
        rows = pl.DataFrame(example.before, strict=False)
        work = rows.select(work=read.work()).to_series().struct
        written = [work.field("columns").struct.field(name).alias(name) for name in read.written]
        once = rows.with_columns(written).filter(work.field("reason").is_null())
        again = outcome(read, once)
        assert again["refused"] == [None] * once.height
        assert all(again[name] == once[name].to_list() for name in read.written)


ODD = [
    "[]",
    "{}",
    "[",
    "[1]",
    '["a"]',
    '[{"text": "a", "start": 0}]',
    '[{"text": "a", "start": "b"}]',
    '{"text": 1}',
    '{"text": ["a"], "answer_start": []}',
    '[{"role": "user", "content": "a"}]',
    '[{"from": "gpt", "value": ["x"]}]',
    '[{"role": "assistant", "content": null, "tool_calls": [{}], "weight": 1e3}]',
    "nan",
    "1e999",
    "-0",
    '"x"',
]
VALUES = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(ODD))


@pytest.mark.parametrize("task", TASKS, ids=name_of)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_row_makes_it_fail(task: type[Task], data: st.DataObject) -> None:
    options = task.examples[0].options
    read = READ.validate_python({"kind": name_of(task), **options})
    columns = list(dict.fromkeys(read.roles.values()))
    rows = data.draw(st.lists(st.tuples(*(VALUES for _ in columns)), min_size=1, max_size=4))
    found = outcome(read, pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"))
    assert all(len(values) == len(rows) for values in found.values())


@pytest.mark.parametrize(
    ("options", "said_of"),
    [
        ({"kind": "text_classification", "text": "a", "label": "a"}, "'a' is the text already"),
        ({"kind": "multi_label_classification", "text": "a", "label": "b", "labels": ["x", "x"]}, "given twice"),
        ({"kind": "tabular_regression", "target": "a", "features": ["b", "a"]}, "is the target already"),
        ({"kind": "question_answering", "context": "question"}, "is the question already"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], said_of: str) -> None:
    assert any(said_of in problem for _, problem, _ in READ.validate_python(options).faults())


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError):
        READ.validate_python({"kind": "chat", "message": "x"})


CHATS: list[tuple[str, str | None]] = [
    ('[{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]', "not_ended_by_assistant"),
    ('[{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}]', None),
    ('[{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "image_url"}]}]', "not_turns"),
    ('[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]', "system_not_first"),
    ('[{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]', "empty_turn"),
    ('[{"role": "user", "content": "a"}, {"role": "oracle", "content": "b"}]', "unknown_role"),
    ('[{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]', "tool_without_call"),
    ('[{"role": "assistant", "content": "a"}]', "no_user"),
    ("[]", "no_turns"),
    ('{"role": "user"}', "not_turns"),
    (
        '[{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"id": "1"}]}, '
        '{"role": "tool", "content": "3", "tool_call_id": "1"}, {"role": "assistant", "content": "b", "weight": 0}]',
        None,
    ),
]


@pytest.mark.parametrize(("turns", "reason"), CHATS)
def test_turns(turns: str, reason: str | None) -> None:
    found = outcome(Chat(), pl.DataFrame({"messages": [turns]}))
    assert found["refused"] == [reason]


def test_a_long_chat() -> None:
    turns = (
        '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "a"}, '
    )
    rows = pl.DataFrame({"messages": [turns + '{"role": "assistant", "content": "b"}]']})
    assert outcome(Chat(most_turns=3), rows)["refused"] == ["too_many_turns"]
    assert outcome(Chat(most_turns=4), rows)["refused"] == [None]


ANSWERS: list[tuple[Any, list[tuple[str, int]] | str]] = [
    ('[{"text": "Köln", "start": 3}]', [("Köln", 3)]),
    ('{"text": ["Köln", "Köln"], "answer_start": [3, 3]}', [("Köln", 3)]),
    ("Köln", [("Köln", 3)]),
    ('[{"text": "😀 in", "answer_start": 9}]', [("😀 in", 9)]),
    ('[{"text": "Rom", "answer_start": 15}]', [("Rom", 14)]),
    ('[{"text": "Bonn", "start": 0}]', "answer_not_found"),
    ('[{"text": "n", "start": 0}]', "answer_ambiguous"),
    ('[{"text": "", "start": -1}]', []),
    ("", []),
    (None, []),
    ('[{"start": 1}]', "not_answers"),
    ("[", "not_answers"),
    (5, "not_answers"),
    ("5", "answer_not_found"),
]


@pytest.mark.parametrize(("answers", "expected"), ANSWERS)
def test_answers(answers: Any, expected: list[tuple[str, int]] | str) -> None:
    rows = pl.DataFrame({"question": ["?a"], "context": ["In Köln, 😀 in Rom"], "answers": [answers]})
    found = outcome(QuestionAnswering(), rows)
    if isinstance(expected, str):
        assert found["refused"] == [expected]
    else:
        assert found["refused"] == [None]
        assert [(one["text"], one["start"]) for one in found["answers"][0]] == expected


def test_an_answer_in_two_columns() -> None:
    rows = pl.DataFrame({"question": ["?a"], "context": ["b a a"], "answer": ["a"], "at": [4]})
    found = outcome(QuestionAnswering(answers="answer", start="at"), rows)
    assert found == {"refused": [None], "answer": [[{"text": "a", "start": 4}]]}


def test_an_answer_that_looks_like_json_is_one_where_its_place_is_said() -> None:
    texts = ["[1]", "{x", '[{"text": "b", "start": 4}]']
    rows = pl.DataFrame({"question": "?a", "context": "a [1] b {x b", "answer": texts, "at": [2, 8, 0]}, strict=False)
    rows = pl.concat([pl.DataFrame({"answer": texts}), rows.select("question", "context", "at")], how="horizontal")
    found = outcome(QuestionAnswering(answers="answer", start="at"), rows)
    assert [(one[0]["text"], one[0]["start"]) for one in found["answer"][:2]] == [("[1]", 2), ("{x", 8)]
    assert found["refused"][2] == "answer_ambiguous", "what a step wrote is read as such"


@pytest.mark.parametrize(
    ("weight", "reason"),
    [(None, None), (0, None), (1.0, None), (2, None), (float("nan"), None)]
    + [(weight, "bad_weight") for weight in (0.5, 1e300, float("inf"), "0")],
)
def test_half_a_weight_does_not_become_none(weight: Any, reason: str | None) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": weight}]
    read = Chat().work()
    found = pl.DataFrame({"messages": [turns]}).select(work=read).to_series().struct.field("reason").to_list()
    assert found == [reason]


@pytest.mark.parametrize("calls", ['"no JSON"', "5", '"5"'])
def test_calls_of_tools_are_lists(calls: str) -> None:
    turns = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "tool_calls": ' + calls + "}]"
    assert outcome(Chat(), pl.DataFrame({"messages": [turns]}))["refused"] == ["not_turns"]


@pytest.mark.parametrize("task", [Regression(text="t", target="y"), TabularRegression(target="y")])
def test_a_text_that_says_nan_is_no_number(task: Task) -> None:
    rows = pl.DataFrame({"t": ["a"] * 4, "y": ["NaN", "nan", "-NaN", "1"]})
    found = outcome(task, rows)["refused"]
    assert set(found[:3]) <= {"no_target", "not_a_number"} and found[3] is None


def test_what_nested_values_say() -> None:
    turns = pl.Series([[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}], [], None])
    assert said(turns).to_list() == ["hi\nyo", "", None]
    assert said(pl.Series([1, None])).to_list() == ["1", None]
    assert said(pl.Series([["a", None, "b"], None])).to_list() == ["a\nb", None]
