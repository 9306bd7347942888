"""Rows that a seed draws, with what every model says of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.cli.compare import told
from seedbed.core.errors import RecipeError
from seedbed.core.run import Run
from seedbed.core.side_by_side import SideBySide
from seedbed.flow.finished import Finished
from seedbed.flow.judging.side_by_side import _cut, drawn
from seedbed.flow.running import run
from seedbed.flow.versions.beside import drawn_by_both
from seedbed.flow.versions.compare import compare
from seedbed.recipe.loading import parse
from seedbed.report.compared import render

WORDS = ["soup", "bread", "apple", "cheese", "goal", "match", "player", "team", "call"]
EVIL = "<img src=x onerror=alert(1)>"


def made(folder: Path, task: dict[str, Any], train: list[dict[str, Any]], rows: int = 160, **more: Any) -> Finished:
    draw = random.Random(1)
    lines = []
    for number in range(rows):
        words = draw.choices(WORDS, k=7)
        many = " ".join(f"{draw.randrange(10**5):x}" for _ in range(30))  # or they would be near copies
        others = " ".join(draw.choices(WORDS, k=9))
        told = f"{' '.join(words)} {EVIL} to bob@example.com or +49 170 1234567 {others} {many}"
        start = told.index(words[2])
        lines.append(
            {
                "row": number,
                "text": f"{number} {told}",
                "target": f"{words[0]} {EVIL} carol@example.com",
                "context": told,
                "question": f"what comes {number}",
                "answers": [{"text": words[2], "start": start}],
                "messages": [{"role": "user", "content": told}, {"role": "assistant", "content": words[1]}],
            }
        )
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = {
        "seedbed": 1,
        "name": "beside",
        "task": task,
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "words"}],
        "split": {"use": "random", "train": 0.5, "validation": 0.25, "test": 0.25, **more.pop("split", {})},
        "train": train,
        "evaluate": {"leakage": False, "intervals": {"resamples": 200}, **more},
    }
    return run(parse(asked, folder), workers=1)


TEXTS = {"kind": "text_to_text", "text": "text", "target": "target"}
BOTH = [{"use": "copy_input"}, {"use": "nearest"}]


def beside(done: Finished) -> SideBySide:
    assert done.run.scrutiny is not None and done.run.scrutiny.side_by_side is not None
    return done.run.scrutiny.side_by_side


def test_texts_stand_beside_what_is_right_without_being_asked_for(tmp_path: Path) -> None:
    done = made(tmp_path, TEXTS, BOTH)
    found = beside(done)
    assert (found.split, found.of, found.metric, found.continued, len(found.rows)) == (
        "validation", 40, "chrf", False, 8
    )  # fmt: skip
    answers = {name: pl.read_parquet(done.folder / f"predictions/{name}-validation.parquet") for name in
            ("copy_input", "nearest")}  # fmt: skip
    for row in found.rows:
        assert [answer.model for answer in row.answers] == ["copy_input", "nearest"]
        right = answers["nearest"].filter(pl.col("row") == row.row)
        assert row.truth == right["truth"].item().replace("carol@example.com", "[e-mail]")
        assert row.answers[1].text == right["predicted"].item().replace("carol@example.com", "[e-mail]")
        assert all(answer.score is not None and 0 <= answer.score <= 1 for answer in row.answers)
    written = done.run.scrutiny.model_dump_json() if done.run.scrutiny else ""
    assert "[e-mail]" in written and "[number]" in written
    assert "example.com" not in written and "1234567" not in written
    assert Run.model_validate_json((done.folder / "run.json").read_text()).scrutiny == done.run.scrutiny
    page = (done.folder / "report.html").read_text()
    section = page[page.index('<section id="side_by_side">') :].partition("</section>")[0]
    assert section.count("<li") == 8 and "4 more" in section
    assert EVIL not in section and "&lt;img" in section
    assert [one.who for one in done.run.test_reads] == ["copy_input", "nearest"]


@pytest.mark.parametrize(
    ("task", "train"),
    [
        ({"kind": "chat"}, [{"use": "nearest"}]),
        ({"kind": "question_answering"}, [{"use": "best_sentence"}]),
    ],
)
def test_turns_and_places_in_texts_stand_there_too(
    tmp_path: Path, task: dict[str, Any], train: list[dict[str, Any]]
) -> None:
    found = beside(made(tmp_path, task, train, samples=3))
    assert len(found.rows) == 3
    assert all(row.text and row.truth in WORDS and row.answers[0].text for row in found.rows)


def test_runs_that_drew_the_same_rows_are_compared_side_by_side(tmp_path: Path) -> None:
    a, b = made(tmp_path, TEXTS, BOTH[:1]), made(tmp_path, TEXTS, BOTH)
    found = compare(a, b)
    both = found.side_by_side
    assert both is not None and (both.metric, len(both.rows)) == ("chrf", 8)
    assert [row.row for row in both.rows] == [row.row for row in beside(a).rows]
    best = next(place for place, model in enumerate(b.run.models) if model.name == b.run.best)
    for row, of_a, of_b in zip(both.rows, beside(a).rows, beside(b).rows, strict=True):
        assert [one.model for one in row.answers] == ["copy_input of a", f"{b.run.best} of b"]
        assert row.answers[0].text == of_a.answers[0].text and row.answers[1].text == of_b.answers[best].text
    page = render(found)
    assert page.count('class="mistake"') == 8 and EVIL not in page
    lines = told(found)
    assert sum(line.startswith("  copy_input of a: ") for line in lines) == 2
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = made(other, TEXTS, BOTH[:1], rows=150)
    assert compare(a, elsewhere).side_by_side is None, "the file changed, so that ids mean other rows"
    assert drawn_by_both({"a": a.run, "b": a.run.model_copy(update={"scrutiny": None})}) is None


def test_language_models_go_on_where_they_can(tmp_path: Path) -> None:
    task, train = {"kind": "causal_lm", "text": "text"}, [{"use": "ngram"}, {"use": "ngram", "unit": "words"}]
    assert made(tmp_path, task, train).run.scrutiny is None, "it takes time, so nobody does it unasked"
    done = made(tmp_path, task, train, samples=4)
    found = beside(done)
    assert (found.continued, found.metric, len(found.rows), found.silent) == (True, None, 4, ())
    rows = {
        f"words:rows.jsonl#{number}": json.loads(line)["text"]
        for number, line in enumerate((tmp_path / "rows.jsonl").read_text().splitlines(), 1)
    }
    for row in found.rows:
        assert rows[row.row].startswith(row.text.partition("[")[0])
        assert row.truth.startswith(" ") and row.truth.split()[-2] in rows[row.row]
        assert len(row.answers) == 2 and all(20 < len(answer.text) <= 160 for answer in row.answers)
        assert row.answers[0].text != row.answers[1].text
    words = {word for row in found.rows for word in row.answers[1].text.split()}
    assert len(words & set(WORDS)) >= 4
    assert made(tmp_path, task, train, samples=4).run.scrutiny == done.run.scrutiny, "by a seed"
    page = (done.folder / "report.html").read_text()
    assert "It goes on" in page


def test_none_are_shown_where_none_are_wanted_or_there(tmp_path: Path) -> None:
    assert made(tmp_path, TEXTS, BOTH, samples=0).run.scrutiny is None
    no_rows = {"train": 0.7, "validation": 0, "test": 0.3}
    found = made(tmp_path, TEXTS, BOTH, split=no_rows).run.scrutiny
    assert found is not None and found.side_by_side is None and found.notes == ()
    found = made(tmp_path, TEXTS, BOTH, split=no_rows, samples=5).run.scrutiny
    assert found is not None and found.notes == ("samples: there are no validation rows to draw from",)


def test_labels_have_tables_and_no_samples(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"evaluate\.samples"):
        made(
            tmp_path,
            {"kind": "text_classification", "text": "text", "label": "target"},
            [{"use": "majority"}],
            samples=3,
        )


def test_the_same_rows_are_drawn_whatever_other_rows_there_are() -> None:
    ids = [f"a:x#{number}" for number in range(500)]
    first = [ids[place] for place in drawn(ids, 10, 7)]
    more = [*ids, *(f"b:y#{number}" for number in range(20))]
    again = [more[place] for place in drawn(more, 10, 7)]
    assert len(first) == len(set(first)) == 10
    assert len(set(first) & set(again)) >= 8
    assert [ids[::-1][place] for place in drawn(ids[::-1], 10, 7)] == first
    assert [ids[place] for place in drawn(ids, 10, 8)] != first


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("one two three four", "one two"),
        ("", ""),
        ("abcdef", "abc"),
        ("write to me at +49 170 1234567 please do", "write to me at"),
        ("a" * 50 + " " + "b" * 1000, "a" * 50),
    ],
)
def test_texts_are_cut_between_words_and_not_within_numbers(text: str, beginning: str) -> None:
    assert text[: _cut(text)] == beginning
