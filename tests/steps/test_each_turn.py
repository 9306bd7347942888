"""Texts inside of turns are cleaned, and the books are kept as for any step."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from seedbed.core.errors import RecipeError
from seedbed.flow.running import run
from seedbed.recipe.loading import load

RECIPE = """
seedbed: 1
name: chats
task: {kind: chat}
sources: [{use: jsonl, name: chats, path: chats.jsonl}]
steps:
  - use: each_turn
    steps: [{use: fix_text}, {use: redact_pii, kinds: [email]}, {use: normalize}]
    write: conversation
  - {use: text_length, column: conversation, at_least: 20}
  - {use: near_duplicates, column: conversation, at_least: 0.8}
split: {use: random, train: 0.6, validation: 0.2, test: 0.2}
ledger: {changes: all}
"""


def chat(*said: str | None) -> dict[str, object]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[place % 2], "content": one} for place, one in enumerate(said)]}


ROWS = [
    chat("write  to ann@example.org, she &amp; Bo will know", "I   will, thanks"),
    chat("ok", "no"),
    chat("nobody answers"),
    chat("the same long question about the harbour at night", "the same long answer about boats and lamps"),
    chat("the same long question about the harbour at night", "the same long answer about boats and lamps!"),
    *(chat(f"what of {word}, the one that we saw?", f"it went {word} ways") for word in ("tin", "oak", "fog", "elm")),
]


def test_a_run_with_turns_cleaned(tmp_path: Path) -> None:
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    done = run(load(tmp_path / "recipe.yaml", []), out=tmp_path / "run", workers=1)
    record = done.run
    assert record.rows.balanced
    assert record.rows.rejected == {
        "each_turn": {"not_ended_by_assistant": 1},
        "text_length": {"too_short": 1},
        "near_duplicates": {"near_duplicate": 1},
    }
    rows = pl.read_parquet(tmp_path / "run/dataset/data/*.parquet")
    said = rows.filter(pl.col("row").str.ends_with("#1"))["messages"].to_list()[0]
    assert [turn["content"] for turn in said] == ["write to [email], she & Bo will know", "I will, thanks"]
    ledger = pl.read_parquet(tmp_path / "run/ledger/*.parquet")
    assert not any("ann@example.org" in str(entry) for entry in ledger.filter(part="each_turn").rows())
    assert record.dataset.measures["turns"] == "2 in each row"


def test_a_step_takes_what_turns_say(tmp_path: Path) -> None:
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("{use: fix_text}", "{use: fix_text, column: x}"), "utf-8")
    with pytest.raises(RecipeError, match="leave `column` out"):
        load(tmp_path / "recipe.yaml", [])
