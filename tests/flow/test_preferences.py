"""People who choose between the answers of two models of a run: the queue, the next run, the report."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from seedbed.cli.app import app
from seedbed.cli.compare import told as lines_of
from seedbed.core.decision import Overlay
from seedbed.core.errors import DataError, RecipeError
from seedbed.flow.finished import Finished, open_run
from seedbed.flow.reviewing.pairs import PairsOfRun
from seedbed.flow.reviewing.queues import build_queues
from seedbed.flow.reviewing.rows import RunRows
from seedbed.flow.running import run
from seedbed.flow.versions.compare import compare
from seedbed.recipe.loading import parse
from seedbed.report.closer import closer_lines
from seedbed.report.compared import render
from seedbed.review.desk import Asked, Desk
from serving.model import model_server

WORDS = ["soup", "bread", "apple", "cheese", "goal", "match", "player", "team", "call"]
EVIL = "<script>alert(1)</script>"
TASK = {"kind": "text_to_text", "text": "text", "target": "target"}


def write_rows(folder: Path, count: int = 200) -> None:
    """The target is the words of the text in order."""
    draw = random.Random(1)
    lines = []
    for number in range(count):
        words = draw.choices(WORDS, k=6)
        lines.append({"text": " ".join(words) + f" {number} {EVIL}", "target": " ".join(sorted(words))})
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def made(folder: Path, train: Sequence[Any] = ("copy_input", "nearest"), **evaluate: Any) -> Finished:
    asked = {
        "seedbed": 1,
        "name": "sorted",
        "task": TASK,
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "words"}],
        "split": {"use": "random", "train": 0.5, "validation": 0.2, "test": 0.3},
        "train": [{"use": one} if isinstance(one, str) else one for one in train],
        "evaluate": {"leakage": False, "intervals": {"resamples": 200}, **evaluate},
    }
    return run(parse(asked, folder), workers=1)


def desk_of(done: Finished, folder: Path, decisions: Path) -> Desk:
    built = build_queues(RunRows(done), folder, ["pairs"])
    return Desk(built.queues, Overlay(decisions), (), "t", done.run.id, tuple(built.notes), "nothing")


def choose(desk: Desk, who: str, rows: int) -> None:
    """Choose what does not repeat the script, which only `copy_input` does."""
    for row in list(desk.queues["pairs"].places)[:rows]:
        shown = desk.item("pairs", row, who)
        assert not {"sides", "a", "b"} & set(shown), "whose answer it is, is not told"
        desk.decide(Asked("pairs", row, "prefer", "right" if EVIL in shown["left"] else "left"), who)


def test_people_choose_and_the_next_run_tells(tmp_path: Path) -> None:
    write_rows(tmp_path)
    done = made(tmp_path)
    decisions = tmp_path / "review.jsonl"
    desk = desk_of(done, tmp_path, decisions)
    assert "preferences: review.jsonl" in desk.notes[0]
    queue = desk.queues["pairs"]
    assert queue.height == 60 and "judge the models" in queue.warning
    assert {side: n for side, n in queue.items["sides"].value_counts().iter_rows()}["ab"] in range(15, 46)
    assert not queue.items.select(pl.any_horizontal(pl.col("row", "text").str.contains("nearest"))).to_series().any()
    choose(desk, "ann", 30)
    choose_elsewhere(done, tmp_path, "ben", 12)
    desk.listen()
    bad = list(queue.places)[30]
    desk.decide(Asked("pairs", bad, "prefer", "both_bad"), "ann")
    assert desk.view("pairs", _filters(), "ben")["first"] == 12, "each person goes on where they stopped"
    state = desk.state(next(iter(queue.places)), "ann")
    assert state and state["label"] in ("left", "right") and "b" not in [one["label"] for one in state["words"]]
    with model_server(lambda asked, tries: '{"better": "first"}') as server:
        judge = {"endpoint": server.url, "model_name": "wise", "rows": 40, "retries": 0}
        again = made(tmp_path, preferences="review.jsonl", judged_by=judge)
    found = again.run.scrutiny and again.run.scrutiny.preferences
    assert found
    (pair,) = found.pairs
    assert (pair.a, pair.b, pair.rows, pair.wins, pair.losses, pair.both_bad) == ("copy_input", "nearest", 31, 30, 0, 1)
    assert (pair.verdict, found.people, found.decisions, found.notes) == ("better", 2, 43, ())
    assert found.agreement and (found.agreement.value, found.agreement.n) == (1.0, 12)
    assert found.left and found.left.n == 30 and 0.2 < found.left.value < 0.8
    assert pair.judge_agrees is None, "this judge goes by the place, and prefers nobody"
    assert pair.agrees and pair.agrees.value > 0.5
    assert {one.who: one.rows for one in again.run.test_reads}["people"] == 31
    page = (again.folder / "report.html").read_text()
    assert '<section id="preferences">' in page and "ann" not in page.partition('id="preferences"')[2][:4000]
    assert any(line.startswith("people: nearest is better than copy_input") for line in closer_lines(again.run))
    told = CliRunner().invoke(app, ["review", str(again.folder), "--queue", "pairs", "--summary"])
    assert told.exit_code == 0, told.output
    assert "people: nearest is better than copy_input" in told.output
    compared_with_another_run(done, again)
    counted = PairsOfRun(RunRows(open_run(again.folder)))
    other = made(tmp_path, ["copy_input", {"use": "nearest", "characters": None}], preferences="review.jsonl")
    changed = other.run.scrutiny and other.run.scrutiny.preferences
    texts = PairsOfRun(RunRows(other)).models["nearest"], counted.models["nearest"]
    stays = sum(texts[0][place] == text for place, text in texts[1].items())
    assert stays < 60, "other options answer otherwise"
    assert changed is None or "about answers that no model gives now" in changed.notes[0]


def choose_elsewhere(done: Finished, folder: Path, who: str, rows: int) -> None:
    """Choose the same in a table that is brought out, filled in, and brought back by the command line."""
    table = folder / "pairs.csv"

    def typed(*more: str) -> str:
        given = ["--queue", "pairs", "--decisions", str(folder / "review.jsonl"), "--people", who]
        told = CliRunner().invoke(app, ["review", str(done.folder), *given, *more])
        assert told.exit_code == 0, told.output
        return " ".join(told.output.split())

    assert "--queue pairs --import FILE" in typed("--export", str(table))
    with table.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 60 and {one["new_label"] for one in found} == {""}
    assert not {"sides", "a", "b"} & set(found[0]) and "nearest" not in table.read_text("utf-8-sig")
    for place, one in enumerate(found[: rows - 1]):
        words = ("Right", " right ") if EVIL in one["left"] else ("left", "LEFT")
        one |= {"new_label": words[place % 2], "action": "prefer" if place % 3 else ""}
    found[rows - 1] |= {"new_label": "right" if EVIL in found[rows - 1]["left"] else "left", "who": who}
    found[rows] |= {"new_label": "the second"}
    found[rows + 1] |= {"new_label": "left", "key": "0123456789abcdef"}
    with table.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, found[0])
        out.writeheader()
        out.writerows(found)
    told = typed("--import", str(table))
    assert f"{rows} decisions written" in told and "1 not taken: label: say left, right, tie or both_bad" in told
    assert "1 not taken: the row's text is not the one that was sent" in told
    assert f"0 decisions written to {folder / 'review.jsonl'}; {rows} known" in typed("--import", str(table))
    tool = CliRunner().invoke(app, ["review", str(done.folder), "--queue", "pairs", "--export", str(folder / "a.json")])
    assert isinstance(tool.exception, RecipeError) and "pairs.csv" in tool.exception.hint


def compared_with_another_run(without: Finished, chosen: Finished) -> None:
    """`compare` tells what people and the judge prefer in the run that asked them, in words, as JSON and as a page."""
    found = compare(without, chosen)
    told = {one.by: one for one in found.preferred}
    assert set(told) == {"people", "judge"} and {one.run for one in found.preferred} == {"b"}
    people, judge = told["people"], told["judge"]
    assert chosen.run.scrutiny and chosen.run.scrutiny.preferences and chosen.run.scrutiny.judged_by
    assert people.win_rate == chosen.run.scrutiny.preferences.pairs[0].win_rate
    assert (people.a, people.b, people.rows, people.verdict) == ("copy_input", "nearest", 31, "better")
    assert judge.win_rate == chosen.run.scrutiny.judged_by.pairs[0].win_rate
    assert (judge.who, judge.goes_by_place, people.goes_by_place) == ("wise", True, False)
    words, rate = " ".join(" ".join(lines_of(found)).split()), people.win_rate
    said = f"nearest of b: better than copy_input of b, say people: win rate {rate.value:.3f} ({rate.low:.3f} to"
    assert said in words
    assert "not distinguishable from copy_input of b, says the model wise: win rate 0.500" in words
    assert words.count("goes by the place") == 1
    page = render(found)
    section = page.partition('<section id="preferred"')[2].partition("</section>")[0]
    assert f"{rate.low:.3f}" in section and "wise" in section and "goes by the place" in section
    assert 'id="preferred"' not in render(compare(without, chosen).model_copy(update={"preferred": ()}))


def _filters() -> Any:
    from seedbed.review.queue import Filters

    return Filters()


def test_before_anybody_chose_the_run_says_so(tmp_path: Path) -> None:
    write_rows(tmp_path, 100)
    done = made(tmp_path, preferences="review.jsonl")
    assert done.run.state == "passed" and done.run.scrutiny and done.run.scrutiny.preferences is None
    assert done.run.scrutiny.notes[0].startswith("preferences: there is no file 'review.jsonl' yet")
    (tmp_path / "review.jsonl").write_text("no\n")
    done = made(tmp_path, preferences="review.jsonl")
    assert done.run.scrutiny and "nobody has chosen" in done.run.scrutiny.notes[0]
    assert "1 line of review.jsonl cannot be read" in done.run.scrutiny.notes[0]


def test_labels_are_nothing_to_choose_between(tmp_path: Path) -> None:
    write_rows(tmp_path, 100)
    rows = RunRows(made(tmp_path, ["copy_input"]))
    with pytest.raises(DataError, match="no two models"):
        PairsOfRun(rows).queue(tmp_path)
    label = replace(rows)
    label.__dict__["task"] = parse(
        {"seedbed": 1, "name": "x", "task": {"kind": "text_classification", "text": "t", "label": "l"},
         "sources": [{"use": "jsonl", "path": "rows.jsonl"}]}, tmp_path
    ).recipe.task  # fmt: skip
    with pytest.raises(DataError, match="no texts"):
        PairsOfRun(label).queue(tmp_path)


def test_language_models_go_on_after_test_rows(tmp_path: Path) -> None:
    draw = random.Random(3)
    lines = [{"text": " ".join(draw.choices(WORDS, k=30)) + f" {n}"} for n in range(150)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = {
        "seedbed": 1,
        "name": "going_on",
        "task": {"kind": "causal_lm", "text": "text"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "words"}],
        "train": [{"use": "ngram", "order": 2}, {"use": "ngram", "order": 5}],
        "evaluate": {"leakage": False, "intervals": {"resamples": 200}, "preferences": "review.jsonl"},
    }
    loaded = parse(asked, tmp_path)
    done = run(loaded, workers=1)
    desk = desk_of(done, tmp_path, tmp_path / "review.jsonl")
    queue = desk.queues["pairs"]
    begun = queue.items["text"].to_list()
    assert 0 < queue.height <= 30 and all(any(line["text"].startswith(one) for line in lines) for one in begun)
    for row in list(queue.places)[:10]:
        desk.decide(Asked("pairs", row, "prefer", "tie"), "ann")
    again = run(loaded, workers=1)
    found = again.run.scrutiny and again.run.scrutiny.preferences
    assert found and found.metric is None and found.notes == ()
    assert found.pairs[0].ties == 10 + found.pairs[0].same and found.decisions == 10
    assert '<section id="preferences">' in (again.folder / "report.html").read_text()
