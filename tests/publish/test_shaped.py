"""Formats that say a task: what they write, what they give back, what they set aside, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rows_of_all_kinds import rows_of
from tasks_of_all_kinds import ROWS, TASKS, finished_task, splits_of_task

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import BATCH, Exporter, Rows
from seedbed.core.part import Example
from seedbed.core.task import Chat, QuestionAnswering, Regression, Task, TextToText
from seedbed.core.task.chat import TURNS
from seedbed.publish import Sharegpt
from seedbed.publish.shaping.asking import Asking
from seedbed.publish.shaping.shaped import Shaped
from seedbed.publish.shaping.turns import turn
from tracked_sample import Heard

SHAPED = {use: part for use, part in Exporter.catalogue.items() if issubclass(part, Shaped)}
#: Tasks of the examples on the reference pages.
EXAMPLES: dict[str, Task] = {
    "openai_chat": Regression(text="text", target="target"),
    "sharegpt": TextToText(text="text", target="target"),
    "alpaca": TextToText(text="text", target="target"),
    "prompt_completion": Regression(text="text", target="target"),
    "squad": QuestionAnswering(),
}
TABLE = {"prompt": "Width {{ width }}?"}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(base=tmp_path, store=tmp_path / ".seedbed")


def _part(use: str, **options: Any) -> Shaped:
    found = SHAPED[use].model_validate({"use": use, "path": "out", **options})
    assert isinstance(found, Shaped)
    return found


def _made(part: Shaped, kind: str, context: Context) -> Path:
    """The folder of an export of a run of a task."""
    run = context.base / "runs" / kind
    part.export(run if run.exists() else finished_task(run, kind), context)
    return context.base / part.path


def _back(part: Shaped, path: Path) -> pl.DataFrame:
    assert part.knows(path)
    rows = part.read(path)
    return pl.concat([pl.DataFrame(schema=rows.schema), *rows.batches()])


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("use", "example"), [pytest.param(use, one, id=use) for use in EXAMPLES for one in SHAPED[use].examples]
)
def test_example(use: str, example: Example, tmp_path: Path) -> None:
    part, table = _part(use, **example.options), pl.DataFrame(example.before)
    saying = part.saying(EXAMPLES[use], table.schema)
    part.write_split(Rows(table.schema, lambda: iter([table])), saying, tmp_path, "train")
    for name, lines in example.after.items():
        assert (tmp_path / name).read_text("utf-8").splitlines() == lines


# And back


def test_conversations_come_back_with_calls_weights_and_ids(context: Context) -> None:
    part = _part("openai_chat", row_ids=True)
    out = _made(part, "chat", context)
    for name, rows in splits_of_task("chat").items():
        found = _back(part, out / f"{name}.jsonl")
        assert found.equals(rows.select("row", "messages", "tools"), null_equal=True)
    assert sorted(one.name for one in out.iterdir()) == ["schema.json", "test.jsonl", "train.jsonl", "validation.jsonl"]


@pytest.mark.parametrize(
    ("use", "left"),
    [
        ("sharegpt", {"tools": 3, "named_turn": 3, "weighted_turn": 3, "not_in_turn": 3}),
        ("alpaca", {"several_exchanges": 3, "tools": 3, "named_turn": 3, "weighted_turn": 3, "not_in_turn": 3}),
    ],
)
def test_what_cannot_be_said_stands_beside_and_the_rest_comes_back(
    use: str, left: dict[str, int], context: Context
) -> None:
    part = _part(use, row_ids=True)
    out = _made(part, "chat", context)
    found, rows = _back(part, out / "train.jsonl"), splits_of_task("chat")["train"]
    assert found.equals(rows.select("row", "messages").join(found, on="row", how="semi", maintain_order="left"))
    aside = _lines(out / "train.left_out.jsonl")
    reasons = [one["reason"] for one in aside]
    assert {reason: reasons.count(reason) for reason in reasons} == left
    assert json.loads((out / "schema.json").read_bytes())["seedbed"]["left_out"]["train"] == left
    assert {*found["row"], *(one["row"] for one in aside)} == set(rows["row"])
    assert found.height + len(aside) == rows.height


@pytest.mark.parametrize("version", ["2.0", "1.1"])
def test_questions_come_back(version: str, context: Context) -> None:
    part = _part("squad", version=version, title="topic")
    out = _made(part, "question_answering", context)
    for name, rows in splits_of_task("question_answering").items():
        sayable = rows if version == "2.0" else rows.filter(pl.col("answers").list.len() > 0)
        found = _back(part, out / f"{name}.json")
        assert found.equals(sayable.select("row", "question", "context", "answers", "topic"))
        gone = rows.height - sayable.height
        assert gone == (len(_lines(out / f"{name}.left_out.jsonl")) if gone else 0)


def test_a_question_keeps_the_id_and_the_title_that_it_came_with(context: Context) -> None:
    told = [{"text": "Rome", "start": 3}]
    rows = pl.DataFrame(
        {"row": ["q#1", "q#2"], "id": ["a7", None], "title": ["T", "T"], "question": ["Where?", "Who?"],
         "context": ["In Rome."] * 2, "answers": [told, told]}
    )  # fmt: skip
    task = QuestionAnswering()
    record = _part("squad").say(task, rows.schema).record
    said = [record(row) for row in rows.iter_rows(named=True)]
    assert [(one["title"], one["qa"]["id"]) for one in said] == [("T", "a7"), ("T", "q#2")]


def test_a_squad_file_of_somebody_else_is_read(tmp_path: Path) -> None:
    answers = [{"text": "Rome", "answer_start": 3}]
    asked = [
        {"id": "a", "question": "Where?", "answers": answers, "is_impossible": False},
        {"id": "b", "question": "When?", "answers": [], "plausible_answers": answers, "is_impossible": True},
    ]
    told = {"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "In Rome.", "qas": asked}]}]}
    (tmp_path / "dev.json").write_text(json.dumps(told, indent=2))
    found = _back(_part("squad"), tmp_path / "dev.json")
    assert found.rows() == [
        ("a", "Where?", "In Rome.", [{"text": "Rome", "start": 3}], "T"),
        ("b", "When?", "In Rome.", [], "T"),
    ]


@pytest.mark.parametrize(
    ("kind", "columns"), [("text_to_text", ["en", "de"]), ("text_classification", ["text", "label"])]
)
def test_texts_come_back_in_the_columns_of_the_task(kind: str, columns: list[str], context: Context) -> None:
    part = _part("prompt_completion", row_ids=True)
    out = _made(part, kind, context)
    for name, rows in splits_of_task(kind).items():
        assert _back(part, out / f"{name}.jsonl").equals(rows.select("row", *columns))


@pytest.mark.parametrize("use", EXAMPLES)
def test_a_file_that_is_cut_off_is_no_traceback(use: str, context: Context) -> None:
    part = _part(use)
    path = _made(part, "question_answering", context) / f"train{part.ending}"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="is not what it was written as"):
        _back(part, path)


# Words


def test_answers_in_words(context: Context) -> None:
    def completions(kind: str, **options: Any) -> list[str]:
        out = _made(_part("prompt_completion", **options), kind, context)
        return [one["completion"] for one in _lines(out / "train.jsonl")][:4]

    assert completions("multi_label_classification") == ["none", "drama, war", "zoo", "drama"]
    assert completions("multi_label_classification", if_none="nothing")[0] == "nothing"
    assert completions("regression") == ["3", "0.30000000000000004", "1e+22", "12.5"]
    assert completions("regression", decimals=1) == ["3.0", "0.3", "10000000000000000000000.0", "12.5"]
    assert completions("question_answering") == ["Rhein", "Rhein", "none", "Rhein"]
    assert (
        completions("tabular_regression", completion="{{ '%.2f' | format(price) }} ({{ answer }})", **TABLE)[0]
        == "1.50 (1.5)"
    )
    assert completions("text_classification", completion="{{ label | upper }}") == ["GOOD", "BAD", "GOOD", "BAD"]


def test_a_missing_value_leaves_its_place_empty(context: Context) -> None:
    part = _part("alpaca", prompt="What is it?", input="width {{ width }}, {{ colour }}", system="{{ topic }}")
    found = _lines(_made(part, "tabular_classification", context) / "train.jsonl")
    assert found[0] == {
        "system": "t1",
        "instruction": "What is it?",
        "input": "width 0.3333333333333333, ",
        "output": "b",
    }


def test_a_template_cannot_leave_its_box(context: Context) -> None:
    part = _part("prompt_completion", prompt="{{ text.__class__.__mro__ }}")
    with pytest.raises(RecipeError, match="cannot be filled in"):
        _made(part, "regression", context)
    assert not (context.base / "out").exists()


def test_an_empty_prompt_is_set_aside(context: Context) -> None:
    part = _part("openai_chat", prompt="{% if topic == 't0' %}{{ text }}{% endif %}")
    out = _made(part, "regression", context)
    assert {one["reason"] for one in _lines(out / "train.left_out.jsonl")} == {"empty_prompt"}
    assert len(_lines(out / "train.jsonl")) == ROWS["train"] // 2


# What is refused


@pytest.mark.parametrize("use", EXAMPLES)
@pytest.mark.parametrize("kind", TASKS)
def test_a_task_that_a_format_cannot_say_is_refused(use: str, kind: str, context: Context) -> None:
    table = TABLE if kind.startswith("tabular") and issubclass(SHAPED[use], Asking) else {}
    part = _part(use, **table)
    if kind in part.says:
        assert list(part.faults(TASKS[kind])) == []
        return
    with pytest.raises(RecipeError, match=f"'{use}' cannot say {kind}"):
        _made(part, kind, context)
    assert not (context.base / "out").exists()


@pytest.mark.parametrize(
    ("use", "kind", "options", "said"),
    [
        ("openai_chat", "chat", {"prompt": "x"}, "a conversation has its own turns"),
        ("openai_chat", "tabular_regression", {}, "have no text that could be asked"),
        ("alpaca", "text_to_text", {"input": "{{ en }}"}, "the instruction is missing"),
        ("prompt_completion", "text_to_text", {"decimals": 2}, "has no number to round"),
        ("prompt_completion", "text_to_text", {"prompt": "{{ enn }}"}, "`prompt` names the column 'enn'"),
        ("prompt_completion", "text_to_text", {"splits": ["tset"]}, "there is no split 'tset'"),
        ("squad", "question_answering", {"title": "titel"}, "'titel'"),
    ],
)
def test_options_that_do_not_fit(use: str, kind: str, options: dict[str, Any], said: str, context: Context) -> None:
    with pytest.raises(RecipeError, match=said):
        _made(_part(use, **options), kind, context)
    assert not (context.base / "out").exists()


def test_nothing_is_exported_where_no_row_may_be_set_aside(context: Context) -> None:
    with pytest.raises(DataError, match=r"(?s)cannot say row '0:rows.jsonl#2': several_exchanges.*sharegpt and openai"):
        _made(_part("alpaca", unsayable="refuse"), "chat", context)
    with pytest.raises(DataError, match=r"none of the rows: train 24 rows \(empty_prompt 24\)"):
        _made(_part("openai_chat", prompt="{% if false %}{{ text }}{% endif %}"), "regression", context)
    assert not (context.base / "out").exists()


def test_who_says_calls_of_tools_is_told(context: Context) -> None:
    way_out = "openai_chat says calls of tools"
    with pytest.raises(DataError, match=rf"(?s)cannot say row .*: tools.*hint: {way_out}.*; or leave `unsayable` out"):
        _made(_part("sharegpt", unsayable="refuse"), "chat", context)
    calls = [turn("user", "Late?"), turn("assistant", None, tool_calls='[{"id": "1"}]'), turn("user", "And?")]
    table = pl.DataFrame({"messages": [[*calls, turn("assistant", "No.")]]}, schema={"messages": TURNS})
    with pytest.raises(DataError, match=rf"(?s)none of the rows: +1 row \(tools 1\).*hint: {way_out}"):
        Sharegpt(path="x", task=Chat()).write_alone(rows_of(table), context.base / "out.jsonl", context)
    said = Heard()
    _made(_part("sharegpt"), "chat", replace(context, progress=said))
    assert way_out in said.said[-1]


def test_rows_stream(tmp_path: Path) -> None:
    """No batch is asked for before the one before it is written."""
    asked = written = 0

    def batches() -> Iterator[pl.DataFrame]:
        nonlocal asked
        for _ in range(5):
            assert asked == written
            asked += BATCH
            yield pl.DataFrame({"row": ["a"], "en": ["x"], "de": ["y"]}).select(pl.all().repeat_by(BATCH).explode())

    def counting(found: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        nonlocal written
        for one in found:
            written += 1
            yield one

    class Counted(Sharegpt):
        use: str = ""  # type: ignore[assignment]

        def write_records(self, found: Any, target: Path) -> None:
            super().write_records(counting(iter(found)), target)

    schema = pl.Schema(dict.fromkeys(("row", "en", "de"), pl.String()))
    part = Counted(path="x")
    part.write_split(Rows(schema, batches), part.saying(TASKS["text_to_text"], schema), tmp_path, "train")
    assert asked == written == 5 * BATCH


def test_long_texts_are_cut_and_counted(context: Context) -> None:
    part = _part("prompt_completion", prompt="{{ text }} |", tokenizer={"use": "bytes"}, most_tokens=8)
    out = _made(part, "regression", context)
    texts = splits_of_task("regression")["train"]["text"].to_list()
    found = [one["prompt"].removesuffix(" |") for one in _lines(out / "train.jsonl")]
    assert all(text.startswith(cut) and len(cut.encode()) <= 8 for text, cut in zip(texts, found, strict=True))
    assert found[0] == "ünï "  # a character of four bytes is whole or not there
    every = [text for rows in splits_of_task("regression").values() for text in rows["text"]]
    long = [len(text.encode()) - 8 for text in every if len(text.encode()) > 8]
    cut = json.loads((out / "schema.json").read_bytes())["seedbed"]["cut"]
    assert (cut["texts"], cut["tokens"], cut["most_tokens"]) == (len(long), sum(long), 8)


# Files that no run made


def _alone(use: str, table: pl.DataFrame, context: Context, **options: Any) -> Path:
    target = context.base / f"out{SHAPED[use].ending}"
    _part(use, **options).write_alone(Rows(table.schema, lambda: iter([table])), target, context)
    return target


def test_conversations_of_any_layout_become_another(context: Context) -> None:
    said = [
        '[{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]',
        '[{"role": "user", "content": "hi"}]',
        '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]',
    ]
    path = _alone("sharegpt", pl.DataFrame({"id": ["x", "y", "z"], "conversations": said}), context, row_ids=True)
    assert [one["row"] for one in _lines(path)] == ["x", "z"]
    assert _lines(path)[1]["conversations"] == [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    (aside,) = _lines(path.with_name("out.jsonl.left_out.jsonl"))
    assert (aside["reason"], aside["row"]) == ("not_ended_by_assistant", "y")
    _alone("alpaca", _back(_part("sharegpt"), path), context)
    assert [one["output"] for one in _lines(path)] == ["ho", "b"]
    names = sorted(one.name for one in context.base.iterdir())
    assert names == ["out.jsonl", "out.jsonl.schema.json"]  # what was set aside before is gone


def test_the_task_of_a_file_is_said(context: Context) -> None:
    table = pl.DataFrame({"en": ["good day", None], "de": ["guten Tag", "x"]})
    with pytest.raises(RecipeError, match="what are the rows of this file"):
        _alone("openai_chat", table, context)
    task = {"kind": "text_to_text", "text": "en", "target": "de"}
    with pytest.raises(RecipeError, match="no column 'dx'"):
        _alone("openai_chat", table, context, task={**task, "target": "dx"})
    with pytest.raises(RecipeError, match="'squad' cannot say text_to_text"):
        _alone("squad", table, context, task=task)
    with pytest.raises(DataError, match="cannot say row '2': no_text"):
        _alone("openai_chat", table, context, task=task, unsayable="refuse")
    assert list(context.base.iterdir()) == []
    messages = _lines(_alone("openai_chat", table, context, task=task))[0]["messages"]
    assert [one["content"] for one in messages] == ["good day", "guten Tag"]
    with pytest.raises(RecipeError, match="a run has its own task"):
        _made(_part("openai_chat", task=task), "regression", context)


def test_squad_of_one_version_becomes_the_other(context: Context) -> None:
    rows = splits_of_task("question_answering")["train"]
    path = _alone("squad", rows, context)
    found = _back(_part("squad"), path)
    assert found.equals(rows.select("row", "question", "context", "answers"))
    _alone("squad", found, context, version="1.1")
    told = json.loads(path.read_bytes())
    assert told["version"] == "1.1" and "is_impossible" not in path.read_text("utf-8")
    assert len(_lines(path.with_name("out.json.left_out.jsonl"))) == rows["answers"].list.len().eq(0).sum()
