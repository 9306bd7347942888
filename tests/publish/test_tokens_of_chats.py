"""Conversations as tokens: what is learned, and what becomes of those that are too long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tokens_sample import BYTES, exported, opened

from seedbed.core.errors import RecipeError
from seedbed.core.task.chat import TURNS

CHAT = {"kind": "chat"}
SKIPPED = -100
CHATML: dict[str, Any] = {"tokenizer": BYTES, "template": "chatml", "most_tokens": 4_000}


def _turns(*said: tuple[str, str], weights: dict[int, int] | None = None) -> list[dict[str, Any]]:
    none = {"name": None, "tool_calls": None, "tool_call_id": None}
    each = enumerate(said)
    return [{"role": role, "content": text, **none, "weight": (weights or {}).get(i)} for i, (role, text) in each]


def _rows(*talks: list[dict[str, Any]], **more: Any) -> pl.DataFrame:
    return pl.DataFrame({"messages": list(talks), **more}, schema_overrides={"messages": TURNS})


LONG = _turns(
    ("system", "Be brief."),
    ("user", "one"),
    ("assistant", "1"),
    ("user", "two"),
    ("assistant", "2"),
    ("user", "Γειά 北京"),
    ("assistant", "3 👩‍👩‍👧"),
)


def _learned(row: dict[str, Any]) -> str:
    """What is learned of a row, a line a piece."""
    tokens, pieces, last = opened(BYTES), [[]], SKIPPED
    for label in row["labels"]:
        if label == SKIPPED and last != SKIPPED:
            pieces.append([])
        if label != SKIPPED:
            pieces[-1].append(label)
        last = label
    return "\n".join(tokens.decode(piece) for piece in pieces if piece)


def test_the_assistant_alone_is_learned(tmp_path: Path) -> None:
    found, told = exported(tmp_path, CHAT, _rows(LONG), **CHATML)
    (row,) = found.iter_rows(named=True)
    assert _learned(row) == "1<|im_end|>\n2<|im_end|>\n3 👩‍👩‍👧<|im_end|>"
    pairs = zip(row["input_ids"], row["labels"], strict=True)
    assert all(label in (SKIPPED, i) for i, label in pairs) and set(row["attention_mask"]) == {1}
    said = told["splits"]["train"]
    assert said["tokens_learned"] == sum(label != SKIPPED for label in row["labels"]) and said["rows_cut"] == 0


def test_turns_of_weight_0_are_not_learned(tmp_path: Path) -> None:
    talk = _turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), weights={1: 0, 3: 1})
    none = _turns(("user", "a"), ("assistant", "b"), weights={1: 0})
    found, told = exported(tmp_path, CHAT, _rows(talk, none), **CHATML)
    assert [_learned(row) for row in found.iter_rows(named=True)] == ["d<|im_end|>"]
    assert told["splits"]["train"]["rejected"] == {"nothing_to_learn": {"rows": 1, "such_as": ["0:t.csv#2"]}}


def test_the_oldest_turns_go_first_and_the_system_stays(tmp_path: Path) -> None:
    whole, _ = exported(tmp_path / "whole", CHAT, _rows(LONG), **CHATML)
    size = len(whole["input_ids"][0])
    found, told = exported(tmp_path / "cut", CHAT, _rows(LONG), **{**CHATML, "most_tokens": size - 1})
    (row,) = found.iter_rows(named=True)
    text = opened(BYTES).decode(row["input_ids"])
    assert "Be brief." in text and "one" not in text and "two" in text and row["turns_cut"] == 2
    assert _learned(row) == "2<|im_end|>\n3 👩‍👩‍👧<|im_end|>"
    said = told["splits"]["train"]
    assert (said["conversations_cut"], said["turns_cut"], said["rows_cut"]) == (1, 2, 1)
    assert said["tokens_lost"] == size - len(row["input_ids"])


def test_turns_are_limited(tmp_path: Path) -> None:
    found, told = exported(tmp_path / "cut", CHAT, _rows(LONG), **CHATML, most_turns=4)
    assert found["turns_cut"].to_list() == [4] and told["splits"]["train"]["turns_cut"] == 4
    _, told = exported(tmp_path / "rejected", CHAT, _rows(LONG), **CHATML, most_turns=4, too_long="reject")
    assert told["splits"]["train"]["rejected"]["too_many_turns"]["rows"] == 1
    assert told["splits"]["train"]["rows_written"] == 0


def test_what_is_too_long_for_any_cut_is_left_out(tmp_path: Path) -> None:
    short = _turns(("user", "a"), ("assistant", "b"))
    found, told = exported(tmp_path, CHAT, _rows(LONG, short), **{**CHATML, "most_tokens": 64})
    assert found["row"].to_list() == ["0:t.csv#2"]
    assert told["splits"]["train"]["rejected"] == {"too_many_tokens": {"rows": 1, "such_as": ["0:t.csv#1"]}}


def test_an_answer_never_stands_without_its_question(tmp_path: Path) -> None:
    call = json.dumps([{"type": "function", "function": {"name": "f", "arguments": {}}}])
    none = {"name": None, "tool_call_id": None, "weight": None}
    talk = [
        {"role": "user", "content": "x" * 300, "tool_calls": None, **none},
        {"role": "assistant", "content": None, "tool_calls": call, **none},
        {"role": "tool", "content": "42", "tool_calls": None, **none},
        {"role": "assistant", "content": "42.", "tool_calls": None, **none},
        {"role": "user", "content": "thanks", "tool_calls": None, **none},
        {"role": "assistant", "content": "Bye", "tool_calls": None, **none},
    ]
    found, _ = exported(tmp_path, CHAT, _rows(talk), **{**CHATML, "most_tokens": 200})
    text = opened(BYTES).decode(found["input_ids"][0])
    assert text.startswith("<|im_start|>user\nthanks") and found["turns_cut"].to_list() == [4]


def test_tools_are_handed_to_the_template(tmp_path: Path) -> None:
    template = "{% for t in tools or [] %}{{ t.name }};{% endfor %}{% for m in messages %}{{ m.content }}|{% endfor %}"
    rows = _rows(_turns(("user", "a"), ("assistant", "b")), tools=['[{"name": "f"}]'])
    options = {"tokenizer": BYTES, "template": template}
    found, _ = exported(tmp_path, {"kind": "chat", "tools": "tools"}, rows, **options)
    assert opened(BYTES).decode(found["input_ids"][0]) == "f;a|b|"


def test_a_tokenizer_without_a_template_wants_one(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="has no chat template"):
        exported(tmp_path, CHAT, _rows(LONG), tokenizer=BYTES)
    assert not (tmp_path / "out").exists()


def test_turns_that_spell_special_tokens_are_counted(tmp_path: Path) -> None:
    talk = _turns(("user", "say <|im_end|>"), ("assistant", "no"))
    bpe = {"use": "bpe", "vocabulary": 400}
    _, told = exported(tmp_path, CHAT, _rows(LONG, talk), tokenizer=bpe, template="chatml", most_tokens=900)
    assert told["splits"]["train"]["texts_that_spell_special_tokens"] == 1
    documents = pl.DataFrame({"text": ["<|endoftext|> twice <|endoftext|>", "plain", "<|pad|>"]})
    _, told = exported(tmp_path / "2", {"kind": "causal_lm", "text": "text"}, documents, tokenizer=bpe)
    assert told["splits"]["train"]["texts_that_spell_special_tokens"] == 2


def test_rows_that_a_template_refuses_are_counted(tmp_path: Path) -> None:
    template = (
        "{% if messages|length > 2 %}{{ raise_exception('only two turns') }}{% endif %}{{ messages[-1].content }}"
    )
    short = _turns(("user", "a"), ("assistant", "b"))
    found, told = exported(tmp_path, CHAT, _rows(LONG, short), tokenizer=BYTES, template=template)
    assert found.height == 0 or found["row"].to_list() == ["0:t.csv#2"]
    assert told["splits"]["train"]["rejected"]["template: only two turns"]["rows"] == 1
