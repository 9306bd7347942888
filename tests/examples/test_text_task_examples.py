"""`examples/` of tasks on texts, each run on real data: what goes in is accounted for, what comes out is in form."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from seedbed.core.run import Run
from seedbed.core.task import Task
from seedbed.flow.running import run
from seedbed.recipe.loading import load

EXAMPLES = Path(__file__).parents[2] / "examples"


def ran(name: str, at: Path, *settings: str) -> tuple[Run, Task, pl.DataFrame]:
    """The record of an example that was run in a folder of its own, its task, and its rows."""
    recipe = at / "recipe.yaml"
    if not recipe.exists():
        shutil.copytree(EXAMPLES / name, at, ignore=shutil.ignore_patterns(".seedbed", "runs", "out", "*.jsonl"))
    loaded = load(recipe, list(settings))
    done = run(loaded, out=at / "run", workers=1)
    rows = pl.read_parquet(at / "run" / "dataset" / "data" / "*.parquet")
    record = done.run
    assert record.state == "passed", record.stopped_by
    assert record.rows.balanced and record.rows.kept == rows.height
    assert record.certificate is not None and record.certificate.passed
    assert record.blanks == () and len(record.published) == len(loaded.recipe.publish)
    assert loaded.recipe.task.refusal() is not None
    assert rows.select(refused=loaded.recipe.task.refusal())["refused"].null_count() == rows.height
    return record, loaded.recipe.task, rows


def lines(folder: Path) -> list[dict[str, object]]:
    """All that was written to a folder of JSON lines."""
    return [
        json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()
    ]


def test_two_columns_become_conversations(tmp_path: Path) -> None:
    record, task, rows = ran("chat", tmp_path / "chat", "sources.0.limit=1500", "checks.0.at_least=1000")
    assert record.rows.read == 1_500
    turns = rows.select(
        "statement", "reply", pl.col("messages").list.eval(pl.element().struct.field("content")).alias("said")
    )
    assert all([statement, reply] == said for statement, reply, said in turns.iter_rows())
    roles = rows["messages"].list.eval(pl.element().struct.field("role")).to_list()
    assert roles == [["user", "assistant"]] * rows.height
    written = lines(tmp_path / "chat/out/openai")
    assert len(written) == rows.height
    assert [one["role"] for one in written[0]["messages"]] == ["user", "assistant"]  # type: ignore[attr-defined]
    assert set(task.measures()) == {"turns", "user characters", "assistant characters"}


def test_summaries_are_taken_out_of_their_pages(tmp_path: Path) -> None:
    record, _, rows = ran("summaries", tmp_path / "summaries")
    assert record.rows.read > 150 and record.rows.rejected.keys() <= {"where", "text_length"}
    assert all(len(summary) > 10 and summary not in text[:400] for text, summary in rows["text", "summary"].iter_rows())
    assert rows["text"].str.starts_with("# ").all()
    pair = lines(tmp_path / "summaries/out/pairs")[0]
    assert str(pair["prompt"]).endswith("In a sentence:") and str(pair["completion"]).startswith(" ")


def test_answers_stay_where_they_are_said(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "questions", tmp_path / "questions", ignore=shutil.ignore_patterns("*.jsonl", "out"))
    made = tmp_path / "questions" / "questions.jsonl"
    subprocess.run(
        [sys.executable, str(EXAMPLES / "questions" / "questions.py"), "--to", str(made)], check=True, timeout=60
    )
    asked = [json.loads(line) for line in made.read_text("utf-8").splitlines()]
    asked = [one for one in asked if one["title"].lower() in CHOSEN]
    made.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in asked), "utf-8")
    record, _, rows = ran("questions", tmp_path / "questions", "checks.0.at_least=30")
    assert not all(one["context"].isascii() for one in asked)
    gone = record.rows.rejected.get("task", {})  # addresses that stood in tags alone
    assert gone.keys() <= {"answer_not_found", "answer_ambiguous"} and sum(gone.values()) < 10
    before = {one["id"]: one for one in asked}
    moved = 0
    for row in rows.iter_rows(named=True):
        given = before[row["id"]]["answers"]
        for found in row["answers"]:
            assert row["context"][found["start"] :].startswith(found["text"])
            assert found["text"] in {" ".join(text.split()) for text in given["text"]}
            moved += found["start"] not in given["answer_start"]
        assert bool(row["answers"]) == bool(given["text"])
    several, none = rows["answers"].list.len().max(), (rows["answers"].list.len() == 0).sum()
    assert moved > 10 and isinstance(several, int) and several > 1 and none > 5
    split_of = {title: set() for title in rows["title"]}  # type: ignore[var-annotated]
    for file in sorted((tmp_path / "questions/run/dataset/data").glob("*.parquet")):
        for title in pl.read_parquet(file)["title"]:
            split_of[title].add(file.name.partition("-")[0])
    assert all(len(splits) == 1 for splits in split_of.values()), "questions about a text stay together"
    squad = json.loads((tmp_path / "questions/out/squad/test.json").read_text("utf-8"))
    assert squad["version"] == "v2.0" and squad["data"]


#: Packages that the project needs, so that they are there; with names, HTML and emoji in what they say.
CHOSEN = ("pydantic", "rich", "typer", "polars", "orjson", "duckdb", "jinja2", "ftfy", "rapidfuzz", "hypothesis",
          "fastapi", "ruff", "marko", "httpx", "scipy", "numpy", "pyyaml", "mypy", "trafilatura")  # fmt: skip


def test_documents_lose_their_near_copies_and_addresses(tmp_path: Path) -> None:
    record, _, rows = ran("documents", tmp_path / "documents")
    assert record.rows.rejected["near_duplicates"].keys() == {"near_duplicate"}
    assert not rows["text"].str.contains(r"\w@\w+\.\w").any()
    assert rows["text"].str.contains("\n").all(), "lines are part of a document"
    assert {row.partition(":")[0] for row in rows["row"]} == {"plotnine", "scikit-learn"}
    assert len(lines(tmp_path / "documents/out/jsonl")) == rows.height


def test_prices_are_told_in_whole_dollars(tmp_path: Path) -> None:
    record, _, rows = ran("diamonds", tmp_path / "diamonds", "sources.0.limit=2000")
    assert record.rows.read == 2_000 and rows.schema["price"] == pl.Float64
    first = rows.row(0, named=True)
    assert first["text"].startswith(f"A diamond of {first['carat']} carat, ")
    written = lines(tmp_path / "diamonds/out/prices")
    assert sorted(int(str(one["completion"])) for one in written) == sorted(rows["price"].cast(int))
    assert all(str(one["prompt"]).endswith("\n\nPrice is $") for one in written)


@pytest.mark.parametrize("name", ["chat", "summaries", "questions", "documents", "diamonds"])
def test_a_recipe_says_what_it_is_and_who_made_it(name: str) -> None:
    text = (EXAMPLES / name / "recipe.yaml").read_text("utf-8")
    assert text.startswith("# ") and "\nchecks:" in text and "no_leakage" in text
    assert (EXAMPLES / name / "card.yaml").is_file()
