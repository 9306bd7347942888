"""What a recipe publishes is refused when it is read, or before anything is trained; runs of tasks are exported."""

# ruff: noqa: E501 (a table reads best with one case a line)

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from seedbed.cli import main
from seedbed.core.errors import RecipeError
from seedbed.flow.running import run
from seedbed.recipe import load

CARD = "license: MIT\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"
HEAD = """\
seedbed: 1
name: talk
task: {kind: %s}
sources: [{use: jsonl, path: rows.jsonl, license: MIT}]
"""
WORDS = ["river", "stone", "cloud", "grass", "night", "glass", "paper", "wheel", "horse", "bread"]


def _chats(folder: Path) -> None:
    lines = []
    for i in range(60):
        said = f"{WORDS[i % 10]} {WORDS[i // 10]} {i * 7919} {i * 104729}"
        turns = [{"role": "user", "content": said}, {"role": "assistant", "content": said[::-1]}]
        lines.append({"messages": turns * (2 if i % 4 == 0 else 1), "said": said, "label": "ab"[i % 2], "n": i})
    (folder / "rows.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    (folder / "card.yaml").write_text(CARD)


def _recipe(folder: Path, kind: str, more: str) -> Path:
    _chats(folder)
    (folder / "recipe.yaml").write_text(HEAD % kind + more)
    return folder / "recipe.yaml"


CLASSES = "text_classification, text: said, label: label"


@pytest.mark.parametrize(
    ("kind", "publish", "place", "said", "way"),
    [
        ("chat", "{use: squad, path: x}", ":5: publish.0.use", "'squad' cannot say chat", "alpaca, "),
        ("chat", "{use: prompt_completion, path: x}", ":5: publish.0.use", "cannot say chat", "openai_chat, "),
        ("chat", "{use: openai_chat, path: x, decimals: 1}", ":5: publish.0.decimals", "has its own turns", "leave it out"),
        ("chat", "{use: csv, path: x, splits: [tset]}", ":5: publish.0.splits.0", "no 'tset' rows", "did you mean 'test'?"),
        ("chat", "{use: tf_data, path: x, pairs: true}", ":5: publish.0.pairs", "the number of its label", "leave `pairs` out"),
        (CLASSES, "{use: openai_chat, path: x, prompt: '{{'}", ":5: publish.0.prompt", "is no Jinja template", ""),
        (CLASSES, "{use: alpaca, path: x, most_tokens: 4}", ":5: publish.0", "need each other", ""),
        ("causal_lm, text: said", "{use: openai_chat, path: x}", ":5: publish.0.use", "cannot say causal_lm", "jsonl"),
    ],
)  # fmt: skip
def test_refused_when_it_is_read(kind: str, publish: str, place: str, said: str, way: str, tmp_path: Path) -> None:
    path = _recipe(tmp_path, kind, f"publish: [{publish}]\n")
    with pytest.raises(RecipeError) as caught:
        load(path)
    told = str(caught.value)
    assert place in told and said in told and way in told
    assert len(told.splitlines()) <= 5


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("publish: [{use: jsonl, path: x, columns: [said, labl]}]\n", "publish.0.columns"),
        ("publish: [{use: prompt_completion, path: x, prompt: '{{ labl }}'}]\n", "publish.0.prompt"),
        (
            "prepare: [{use: scale, column: [n]}]\npublish: [{use: jsonl, path: x, columns: [n, labl]}]\n",
            "publish.0.columns",
        ),
    ],
)
def test_a_column_that_is_not_there_is_found_before_training(more: str, place: str, tmp_path: Path) -> None:
    loaded = load(_recipe(tmp_path, CLASSES, more))
    with pytest.raises(RecipeError) as caught:
        run(loaded)
    assert place in caught.value.at and "'labl'" in caught.value.problem and "'label'" in caught.value.hint
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").rglob("run.json"))
    assert not list((tmp_path / ".seedbed").rglob("*model*"))


@pytest.mark.slow
def test_a_run_of_conversations_is_published_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _recipe(
        tmp_path, "chat", "publish: [{use: openai_chat, path: chat}, {use: jsonl, path: rows, columns: [messages]}]\n"
    )

    def seedbed(*arguments: str) -> int:
        with pytest.raises(SystemExit) as done:
            main(list(arguments))
        return int(done.value.code or 0)

    assert seedbed("run", "recipe.yaml") == 0
    counted = {
        name: len((tmp_path / f"chat/{name}.jsonl").read_bytes().splitlines())
        for name in ("train", "validation", "test")
    }
    assert sum(counted.values()) == 60
    capfd.readouterr()
    assert seedbed("export", "talk@latest", "--to", "alpaca", "--out", "single") == 0
    told = capfd.readouterr()
    assert "45 rows to single (alpaca)" in told.out
    assert "several_exchanges" in told.err and "single/*.left_out.jsonl" in told.err
    assert seedbed("export", "talk@latest", "--to", "squad", "--out", "no") == 2
    assert "--to: 'squad' cannot say chat" in capfd.readouterr().err
    assert seedbed("export", "single/train.jsonl", "--to", "sharegpt", "--out", "shared") == 0
    shared = [json.loads(line) for line in (tmp_path / "shared").read_bytes().splitlines()]
    assert [turn["from"] for turn in shared[0]["conversations"]] == ["human", "gpt"] and len(shared) == 35
    assert seedbed("export", "single/train.jsonl", "--to", "jsonl", "--out", "back.jsonl") == 0
    back = [json.loads(line) for line in (tmp_path / "back.jsonl").read_bytes().splitlines()]
    assert back[0]["messages"][0]["role"] == "user" and len(back) <= counted["train"]
