"""`init` tells conversations, questions, pairs and documents, and what it writes runs as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.cli.init import summary
from seedbed.flow.running import run
from seedbed.flow.starting.start import start, write
from seedbed.recipe.loading import load

WORDS = ["amber", "birch", "cedar", "delta", "ember", "frost", "grove", "heron", "inlet", "kelp", "lark", "maple"]


#: All sets of three labels but the empty one.
FACETS = [[name for bit, name in enumerate(("devel", "games", "x11")) if sets >> bit & 1] for sets in range(1, 8)]


def sentence(place: int, words: int = 9) -> str:
    """A sentence that no other is like."""
    return (
        " ".join(WORDS[(place * 7 + step * (place % 5 + 1)) % len(WORDS)] + str(place) for step in range(words)) + "."
    )


def rows_of(shape: str) -> list[dict[str, Any]]:
    texts = [(sentence(place), sentence(1_000 + place)) for place in range(60)]
    match shape:
        case "messages":
            return [
                {"id": n, "messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}
                for n, (a, b) in enumerate(texts)
            ]
        case "sharegpt":
            return [{"conversations": [{"from": "human", "value": a}, {"from": "gpt", "value": b}]} for a, b in texts]
        case "squad":
            return [
                {"title": f"t{n % 3}", "question": f"What {n}?", "context": f"{a} {b}",
                 "answers": {"text": [b], "answer_start": [len(a) + 1]}}
                for n, (a, b) in enumerate(texts)
            ]  # fmt: skip
        case "alpaca":
            return [
                {"instruction": a, "input": "" if n % 2 else f"about {n}", "output": b}
                for n, (a, b) in enumerate(texts)
            ]
        case "tools":
            described = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
            return [
                {"tools": described, "messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}
                for a, b in texts
            ]
        case "sets":
            return [{"summary": a, "name": b, "facets": FACETS[n % 7]} for n, (a, b) in enumerate(texts)]
        case "set texts":
            return [{"summary": a, "facets": ", ".join(FACETS[n % 7])} for n, (a, _) in enumerate(texts)]
        case "translations":
            return [{"n": n, "English": a, "Deutsch": b} for n, (a, b) in enumerate(texts)]
        case "prompts":
            return [{"prompt": a, "completion": b, "kind": "x" if n % 2 else "y"} for n, (a, b) in enumerate(texts)]
        case _:
            return [{"text": sentence(place, 40)} for place in range(60)]


CASES = [
    ("messages", "chat", {"messages"}),
    ("sharegpt", "chat", {"conversations"}),
    ("squad", "question_answering", {"question", "context", "answers"}),
    ("alpaca", "chat", {"user", "output"}),
    ("prompts", "text_to_text", {"prompt", "completion"}),
    ("documents", "causal_lm", {"text"}),
    ("tools", "chat", {"messages", "tools"}),
    ("sets", "multi_label_classification", {"summary", "facets"}),
    ("set texts", "multi_label_classification", {"summary", "facets"}),
    ("translations", "text_to_text", {"English", "Deutsch"}),
]


@pytest.mark.parametrize(("shape", "kind", "columns"), CASES, ids=[case[0] for case in CASES])
def test_what_rows_are_fit_for(
    shape: str, kind: str, columns: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of(shape)), "utf-8")
    found = start("rows.jsonl", text=None, label=None, folder=tmp_path)
    written = write(found, tmp_path)
    assert f"task:   {kind} (" in "\n".join(summary(found, written))
    loaded = load(written[0], [])
    assert loaded.recipe.task.kind == kind
    assert set(loaded.recipe.task.roles.values()) == columns
    done = run(loaded, out=tmp_path / "run", workers=1)
    assert done.run.state == "passed" and done.run.rows.kept == 60
    lengths = done.run.dataset.lengths
    assert lengths and lengths.column == loaded.recipe.task.shown and any(lengths.after)
    assert any(lengths.before) == (kind != "chat"), "JSON is as long as no text"
    assert "checks" in done.run.timings
    uncommented = "\n".join(
        line[2:] if line.startswith(("# publish", "#   - ")) else line for line in found.recipe.splitlines()
    )
    written[0].write_text(uncommented, "utf-8")
    assert len(load(written[0], []).recipe.publish) >= 1
    if shape == "alpaca":
        rows = pl.read_parquet(tmp_path / "run/dataset/data/*.parquet")
        assert (rows["user"].str.contains("\n\nabout ") == rows["input"].str.contains("about")).all()


def test_whoever_wants_a_classifier_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of("prompts")), "utf-8")
    found = start("rows.jsonl", text="prompt", label="kind", folder=tmp_path)
    assert not found.task and "kind: text_classification" in found.recipe


def test_na_among_numbers_is_missing_and_a_city_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [
        f"New {['Old', 'Gold', 'Red', 'Blue'][n % 4]},{'NA' if n % 5 == 0 else n * 1.5},{n % 12},{n * n / 2}"
        for n in range(80)
    ]
    Path("sales.csv").write_text("\n".join(["city,sales,month,price", *lines]), "utf-8")
    found = start("sales.csv", text=None, label="price", folder=tmp_path)
    assert any("NA among numbers is read as a missing value" in note for note in found.notes)
    written = write(found, tmp_path)
    task = load(written[0], []).recipe.task
    assert task.kind == "tabular_regression" and task.features == ("city", "sales", "month")
    run(load(written[0], []), out=tmp_path / "run", workers=1)
    rows = pl.read_parquet(tmp_path / "run/dataset/data/*.parquet")
    assert rows.schema["sales"] == pl.Float64 and rows["sales"].null_count() == 16


def test_a_person_who_names_two_texts_gets_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of("prompts")), "utf-8")
    found = start("rows.jsonl", text="completion", label="prompt", folder=tmp_path)
    assert "kind: text_to_text" in found.recipe and "target: prompt" in found.recipe


@pytest.mark.parametrize("label", ["Berlin, Germany", "Doe, {}"])
def test_a_comma_in_a_label_is_no_set(label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [label.format("Ann"), label.format("Bob"), "Paris", "Rome"]
    rows = [{"text": sentence(n), "label": names[n % 4]} for n in range(80)]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = start("rows.jsonl", text=None, label=None, folder=tmp_path)
    assert "kind: text_classification" in found.recipe
