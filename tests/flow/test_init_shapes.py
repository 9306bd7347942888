"""`init` tells conversations, questions, pairs and documents, and what it writes runs as it is."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.cli import main
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
            return by_what_is_in_them(shape, texts)


def by_what_is_in_them(shape: str, texts: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows whose columns are called otherwise than people call them."""
    match shape:
        case "documents":
            return [{"text": sentence(place, 40)} for place in range(60)]
        case "asked":
            return [
                {
                    "n": n,
                    "page": f"{a} Its code{n} was {b}",
                    "reply": f"code{n}",
                    "ask": f"And what is {n}?",
                    "x": n % 2,
                }
                for n, (a, b) in enumerate(texts)
            ]
        case "speakers":
            return [{"user": a, "assistant": b} for a, b in texts]
        case "flags":
            each = ("devel", "games", "x 11")
            return [
                {"id": n, "summary": a, **{name: (n % 8) >> bit & 1 for bit, name in enumerate(each)}}
                for n, (a, _) in enumerate(texts)
            ]
        case "amounts":
            return [{"summary": a, "stars": n % 5, "price": n * 1.25} for n, (a, _) in enumerate(texts)]
        case _:
            raise ValueError(shape)


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
    ("asked", "question_answering", {"ask", "page", "reply"}),
    ("speakers", "chat", {"user", "assistant"}),
    ("flags", "multi_label_classification", {"summary", "labels"}),
]
#: Rows, what is typed, and what columns are to the task then.
NAMED = [
    ("asked", "--task question_answering", {"question": "ask", "context": "page", "answers": "reply"}),
    ("asked", "--task text_to_text --column text=ask --column target=page", {"text": "ask", "target": "page"}),
    ("asked", "--task causal_lm --text reply", {"text": "reply"}),
    ("asked", "--task text_classification --column text=page --column label=x", {"text": "page", "label": "x"}),
    ("prompts", "--task text_to_text", {"text": "prompt", "target": "completion"}),
    ("prompts", "--task chat", {"user": "prompt", "assistant": "completion"}),
    ("messages", "--task chat", {"messages": "messages"}),
    ("sets", "--task multi_label_classification --text summary", {"text": "summary", "label": "facets"}),
    ("amounts", "--task regression", {"text": "summary", "target": "price"}),
    ("amounts", "--task regression --label stars", {"text": "summary", "target": "stars"}),
    ("amounts", "--task tabular_regression --label price", {"target": "price"}),
    ("amounts", "--task tabular_classification --column label=stars", {"label": "stars"}),
]
#: Rows, what is typed, the exit code, and words of the error.
WRONG = [
    ("asked", "--task question_answerin", 2, "did you mean 'question_answering'?"),
    ("asked", "--column question=ask", 2, "such as --task question_answering"),
    ("asked", "--task question_answering --column ask", 2, "this is no ROLE=COLUMN"),
    ("asked", "--task question_answering --column quetsion=ask", 2, "did you mean 'question'?"),
    ("asked", "--task question_answering --column question=aks", 2, "did you mean 'ask'?"),
    ("asked", "--task question_answering --column context=reply --column answers=page", 3, "answer_not_found in 60"),
    ("asked", "--task text_classification --column label=nope", 2, "there is no column 'nope'"),
    ("amounts", "--task multi_label_classification", 2, "which column is the label does not show"),
    ("amounts", "--task tabular_regression", 0, ""),
    ("documents", "--task chat", 2, "which column is the user does not show"),
    ("documents", "--task text_to_text", 2, "--column target=COLUMN (the columns are text)"),
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


@pytest.mark.parametrize(("shape", "typed", "columns"), NAMED, ids=[" ".join(case[:2]) for case in NAMED])
def test_a_task_that_is_named_is_what_the_recipe_is_for(
    shape: str, typed: str, columns: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of(shape)), "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["init", "rows.jsonl", *typed.split()])
    assert not ended.value.code
    task = load(tmp_path / "recipe.yaml", []).recipe.task
    assert task.kind == typed.split()[1]
    if task.kind == "chat":  # roles name the places of turns
        assert set(columns.values()) == set(task.roles.values())
    else:
        assert columns.items() <= task.roles.items()


@pytest.mark.parametrize(("shape", "typed", "code", "words"), WRONG, ids=[" ".join(case[:2]) for case in WRONG])
def test_what_is_typed_wrongly_is_told_with_the_way_out(
    shape: str,
    typed: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of(shape)), "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["init", "rows.jsonl", *typed.split()])
    out, err = capfd.readouterr()
    assert (ended.value.code or 0) == code
    assert words in err and len(err.splitlines()) <= 5 and "Traceback" not in err
    assert (tmp_path / "recipe.yaml").exists() == (code == 0) == bool(out)


def test_what_else_rows_would_do_for_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{**row, "topic": "ab"[n % 2]} for n, row in enumerate(rows_of("prompts"))]
    lines = [json.dumps({"document" if k == "prompt" else "summary" if k == "completion" else k: row[k] for k in row})
             for row in rows]  # fmt: skip
    Path("rows.jsonl").write_text("\n".join(lines), "utf-8")
    found = start("rows.jsonl", text=None, label=None, folder=tmp_path)
    assert not found.task
    assert any("document and summary would do for text_to_text, too: --task" in note for note in found.notes)


def test_whoever_wants_a_classifier_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of("prompts")), "utf-8")
    found = start("rows.jsonl", text="prompt", label="kind", folder=tmp_path)
    assert not found.task and "kind: text_classification" in found.recipe


def test_names_of_people_are_no_texts_to_learn_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        f'"{WORDS[n % 12].title()}, Miss {WORDS[n // 12].title()} Elisabeth {n}",{n % 3},{n % 70},{"fm"[n % 2]},{n % 2}'
        for n in range(120)
    ]
    Path("people.csv").write_text("\n".join(["name,class,age,sex,survived", *rows]), "utf-8")
    found = start("people.csv", text=None, label="survived", folder=tmp_path)
    assert found.task.startswith("tabular_classification (") and "age" in found.recipe
    found = start("people.csv", text="name", label="survived", folder=tmp_path)
    assert not found.task
    assert any("age" in note and "--task tabular_classification" in note for note in found.notes)


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


def test_prices_as_people_type_them_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [["city", "sku", "seats", "share", "fare"]] + [
        [
            ["Oslo", "Rome", "Wien"][n % 3],
            f"SKU {n + 100}",
            f"{1000 + 37 * n:,}",
            f"{n / 2:.1f} %".replace(".", ","),
            f"${n * 12.5 + 900:,.2f}" if n % 2 else f"{n * 12.5 + 900:,.2f} USD",
        ]
        for n in range(80)
    ]
    with Path("fares.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = start("fares.csv", text=None, label="fare", folder=tmp_path)
    written = write(found, tmp_path)
    task = load(written[0], []).recipe.task
    assert task.kind == "tabular_regression" and task.features == ("city", "seats", "share")
    run(load(written[0], []), out=tmp_path / "run", workers=1)
    made = pl.read_parquet(tmp_path / "run/dataset/data/*.parquet").sort("seats")
    assert made.height == 80 and made["seats"].to_list() == [1000 + 37 * n for n in range(80)]
    assert made["fare"].to_list() == [n * 12.5 + 900 for n in range(80)]
    assert made["share"].to_list() == [n / 2 for n in range(80)]


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
