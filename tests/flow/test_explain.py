"""The story of one row: each kind of row, and what is left of it when the sources are gone."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.cli.explain import told as told_in_lines
from seedbed.core.errors import DataError, RecipeError
from seedbed.flow import Story, explain, run
from seedbed.recipe.loading import parse

WORDS = {"food": "soup bread apple cheese kitchen dinner", "sport": "goal match player team coach win"}
COMMON = "the a very quite today yesterday my our it was is good bad new old"


def made(count: int = 160) -> list[dict[str, Any]]:
    chance = random.Random(5)
    rows = []
    for number in range(count):
        label = chance.choice(list(WORDS))
        text = " ".join(chance.choices([*WORDS[label].split(), *COMMON.split()], k=12))
        rows.append({"text": f"{text} {number}", "label": label, "who": f"p{number % 40}"})
    return rows


BASE = "We waited an hour for the soup and the bread was cold"
#: Rows after the made ones, by name; their records follow from their order.
SPECIAL: dict[str, dict[str, Any]] = {
    "first": {"text": BASE, "label": "food", "who": "x"},
    "exact": {"text": BASE, "label": "food", "who": "x"},
    "near": {"text": BASE + "!", "label": "food", "who": "x"},
    "near of near": {"text": "So " + BASE + "!!", "label": "food", "who": "x"},
    "torn": {"text": "Nobody knows what this is about, really", "label": "food", "who": "y"},
    "torn too": {"text": "nobody knows  what this is about, really", "label": "sport", "who": "y"},
    "short": {"text": "ok", "label": "food", "who": "z"},
    "no text": {"text": None, "label": "food", "who": "z"},
    "unlabelled": {"text": "a row without any label at all", "label": None, "who": "z"},
    "messy": {
        "text": "<b>Good</b>   soup at the caf\u00c3\u00a9, write to anna@example.org or call +49 30 1234567 to come",
        "label": "food",
        "who": "m",
    },
    "invisible": {"text": "the\tteam won the match in the last of its ten minutes", "label": "sport", "who": "m"},
}
STEPS = [
    {"use": "fix_text"},
    {"use": "strip_html"},
    {"use": "normalize"},
    {"use": "drop_missing", "columns": ["text"]},
    {"use": "text_length", "at_least": 5},
    {"use": "conflicting_labels"},
    {"use": "exact_duplicates"},
    {"use": "near_duplicates"},
]


def go(folder: Path, rows: list[str], **more: Any) -> Path:
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    recipe = {
        "seedbed": 1,
        "name": "small",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "s", "license": "MIT"}],
        "steps": STEPS,
        "train": [{"use": "majority"}, {"use": "tfidf_logistic"}],
        "evaluate": {"metrics": ["macro_f1"], "intervals": {"resamples": 100}, "leakage": False},
        **more,
    }
    return run(parse(recipe, folder), out=folder / "out", workers=1).folder


MADE = made()


def record(name: str) -> int:
    return len(MADE) + 1 + list(SPECIAL).index(name)


def row(name: str) -> str:
    return f"s:rows.jsonl#{record(name)}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [json.dumps(one) for one in [*MADE, *SPECIAL.values()]]
    return go(tmp_path_factory.mktemp("explain"), [*lines, '{"text": "cut in the mid'])


@pytest.fixture
def bare(folder: Path, tmp_path: Path) -> Path:
    """The run's folder alone, far from its sources."""
    return Path(shutil.copytree(folder, tmp_path / "elsewhere"))


def told(folder: Path, name: str) -> Story:
    return explain(folder, row(name))


def test_origin_and_values_as_read(folder: Path) -> None:
    story = told(folder, "first")
    at = story.origin
    assert (at.source, at.use, at.path, at.file) == ("s", "jsonl", "rows.jsonl", "rows.jsonl")
    assert (at.record, at.line, at.license) == (record("first"), record("first"), "MIT")
    assert story.read == SPECIAL["first"] == story.values
    assert story.changes == () and story.all_changes and story.notes == ()


@pytest.mark.parametrize(
    ("name", "part", "reason"),
    [
        ("short", "text_length", "too_short"),
        ("no text", "drop_missing", "missing"),
        ("unlabelled", "task", "unlabelled"),
    ],
)
def test_rejected_by_a_filter(folder: Path, name: str, part: str, reason: str) -> None:
    story = told(folder, name)
    assert (story.fate.outcome, story.fate.part, story.fate.reason) == ("rejected", part, reason)
    assert story.rejection is not None
    assert (story.rejection.part, story.rejection.reason) == (part, reason)
    assert story.read == SPECIAL[name]
    assert story.rejection.relatives == story.predictions == story.together == ()
    assert story.notes == ()


def test_exact_duplicate_names_the_row_that_stays_and_its_fate(folder: Path) -> None:
    story = told(folder, "exact")
    assert story.rejection is not None
    (relative,) = story.rejection.relatives
    assert (relative.row, relative.relation, relative.to) == (row("first"), "of", row("exact"))
    assert (relative.text, relative.label, relative.similarity) == (BASE, "food", 1)
    assert relative.fate == told(folder, "first").fate
    assert relative.fate.outcome == "kept" and relative.fate.split in ("train", "validation", "test")


def test_near_duplicate_follows_to_the_end(folder: Path) -> None:
    story = told(folder, "near of near")
    assert story.rejection is not None
    assert story.rejection.part == "near_duplicates"
    by_name = {relative.row: relative for relative in story.rejection.relatives}
    assert set(by_name) == {row("near"), row("first")}
    near = by_name[row("near")]
    assert near.similarity is not None and 0.8 <= near.similarity < 1
    assert (near.fate.outcome, near.fate.part) == ("rejected", "near_duplicates")
    assert near.text == BASE + "!"
    assert by_name[row("first")].fate.outcome == "kept"


def test_conflicting_labels(folder: Path) -> None:
    story = told(folder, "torn")
    assert story.rejection is not None
    assert story.rejection.evidence["labels"] == ["food", "sport"]
    (other,) = story.rejection.relatives
    assert (other.row, other.fate.part) == (row("torn too"), "conflicting_labels")
    assert other.text == "nobody knows what this is about, really"


def test_malformed(folder: Path) -> None:
    last = len(MADE) + len(SPECIAL) + 1
    story = explain(folder, f"s:rows.jsonl#{last}")
    assert story.rejection is not None
    assert (story.rejection.part, story.rejection.reason) == ("jsonl", "not_json")
    assert (story.read, story.origin.line) == (None, last)
    assert story.rejection.excerpt == '{"text": "cut in the mid'
    assert story.notes == ()


def test_changed_by_three_steps_and_masked(folder: Path) -> None:
    story = told(folder, "messy")
    assert [one.part for one in story.changes] == ["fix_text", "strip_html", "normalize"]
    assert {one.column for one in story.changes} == {"text"}
    for one, after in zip(story.changes, story.changes[1:], strict=False):
        assert one.after == after.before
    assert story.values is not None and story.read is not None
    assert story.changes[-1].after == story.values["text"]
    assert story.values["text"] == "Good soup at the café, write to [e-mail] or call [number] to come"
    everything = story.model_dump_json()
    assert "anna" not in everything and "1234567" not in everything


def test_a_change_that_an_excerpt_cannot_show_is_named(folder: Path) -> None:
    (change,) = told(folder, "invisible").changes
    assert change.part == "normalize" and change.before == change.after
    assert change.note == "white space or invisible characters only"


def kept_in(folder: Path, split: str) -> str:
    (file,) = (folder / "dataset" / "data").glob(f"{split}-*.parquet")
    return str(pl.read_parquet(file)["row"][0])


def test_kept_in_train(folder: Path) -> None:
    name = kept_in(folder, "train")
    story = explain(folder, name)
    assert story.fate.split == "train" and story.predictions == ()
    assert len(story.neighbours) == 3
    assert name not in [one.row for one in story.neighbours]
    assert [one.similarity for one in story.neighbours] == sorted(
        (o.similarity for o in story.neighbours), reverse=True
    )


def test_kept_in_test_with_a_mistake(folder: Path) -> None:
    guesses = pl.read_parquet(folder / "predictions" / "majority-test.parquet")
    wrong = guesses.filter(pl.col("truth") != pl.col("predicted")).row(0, named=True)
    story = explain(folder, wrong["row"])
    assert story.fate.split == "test"
    assert [one.model for one in story.predictions] == ["majority", "tfidf_logistic"]
    said = story.predictions[0]
    assert (said.predicted, said.truth, said.right) == (wrong["predicted"], wrong["truth"], False)
    assert said.confidence == pytest.approx(wrong["confidence"])
    (train,) = (folder / "dataset" / "data").glob("train-*.parquet")
    assert {one.row for one in story.neighbours} <= set(pl.read_parquet(train)["row"])


def test_copies_of_a_kept_row(folder: Path) -> None:
    story = told(folder, "first")
    assert story.all_copies == 3
    assert {copy.row for copy in story.copies} == {row(name) for name in ("exact", "near", "near of near")}


def test_rows_kept_together_directly_and_through_others(tmp_path: Path) -> None:
    alike = [
        f"{BASE} {ending}"
        for ending in ("indeed", "indeed it was", "indeed it was so", "indeed it was so, unlike any other place")
    ]
    rows = [*MADE, *({"text": text, "label": "food", "who": "one"} for text in alike)]
    found = go(tmp_path, [json.dumps(one) for one in rows], steps=[], split={"use": "stratified", "group": "who"})
    names = [f"s:rows.jsonl#{len(MADE) + 1 + place}" for place in range(len(alike))]
    story = explain(found, names[0])
    assert {mate.row for mate in story.together} == set(names[1:])
    assert {mate.split for mate in story.together} == {story.fate.split}
    assert story.together[0].joined_by == names[0] and story.together[-1].joined_by != names[0]
    assert all(mate.similarity is not None and mate.similarity >= 0.7 for mate in story.together)
    assert (story.group, story.group_rows) == ("who = one", 4)


def test_sources_gone(folder: Path, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("exact", "first", "short"):
        there, gone = told(folder, name), told(bare, name)
        assert gone.read is None
        assert "told from the run's folder alone" in gone.notes[0]
        assert gone.fate == there.fate
        assert (gone.rejection and gone.rejection.relatives) == (there.rejection and there.rejection.relatives)
        assert gone.predictions == there.predictions
    assert not told(bare, "messy").all_changes


def test_a_source_that_has_changed_is_not_read(bare: Path) -> None:
    (bare.parent / "rows.jsonl").write_text('{"text": "something else", "label": "food", "who": "x"}\n')
    story = told(bare, "first")
    assert story.read is None
    assert "rows.jsonl has changed since" in story.notes[0]
    assert story.values == SPECIAL["first"]


def test_a_function_of_ones_own_is_not_run_without_trust(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    does = f"    Path({str(mark)!r}).touch()\n    return {{'text': row['text'].upper()}}\n"
    (tmp_path / "own.py").write_text(f"from pathlib import Path\n\n\ndef loud(row):\n{does}")
    own = {"use": "python", "function": "own.py:loud", "reads": ["text"], "writes": {"text": "text"}}
    found = go(tmp_path, [json.dumps(one) for one in MADE], steps=[{"use": "normalize"}, own])
    mark.unlink()
    story = explain(found, "1")
    assert not mark.exists()
    assert story.read is not None and not story.all_changes and "--trust" in story.notes[0]
    (change,) = explain(found, "1", trust=True).changes
    assert (change.part, change.after) == ("python", MADE[0]["text"].upper())


def test_joined_columns_and_rows_without_a_counterpart(tmp_path: Path) -> None:
    people = "\n".join(["who,town", *(f"p{n},town {n}" for n in range(39))])
    (tmp_path / "people.csv").write_text(people + "\n")
    join = {"use": "join", "source": {"use": "csv", "path": "people.csv"}, "on": "who"}
    found = go(tmp_path, [json.dumps(one) for one in MADE], steps=[join])
    story = explain(found, "1")
    (change,), (joined,) = story.changes, story.joined
    assert (joined.part, joined.file, joined.record) == ("join", "people.csv", 1)
    assert (change.part, change.column, change.before, change.after) == ("join", "town", None, "town 0")
    gone = explain(found, "40")
    assert gone.rejection is not None and (gone.rejection.part, gone.rejection.reason) == ("join", "unmatched")
    (tmp_path / "people.csv").write_text(people + "x\n")
    story = explain(found, "1")
    assert story.read is None and "people.csv has changed since" in story.notes[0]
    assert story.values is not None and story.values["town"] == "town 0"


def test_sampled_changes_are_told_when_the_sources_are_gone(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in [*MADE, *SPECIAL.values()]]
    found = go(tmp_path, lines, ledger={"changes": "all"})
    (tmp_path / "rows.jsonl").unlink()
    assert [one.part for one in told(found, "messy").changes] == ["fix_text", "strip_html", "normalize"]


def test_a_run_that_a_check_stopped(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in [*MADE, *SPECIAL.values()]]
    found = go(tmp_path, lines, checks=[{"use": "row_count", "at_least": 5000, "on_fail": "stop"}])
    story = told(found, "first")
    assert (story.fate.outcome, story.fate.split) == ("kept", None)
    assert "row_count" in story.notes[-1]
    assert told(found, "exact").rejection is not None


def test_the_record_alone_will_do_where_there_is_one_file(folder: Path) -> None:
    assert explain(folder, f"{record('first')}") == explain(folder, f"#{record('first')}") == told(folder, "first")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("s:rows.jsonl#9999", "its records go from 1 to 172"),
        ("s:rows.jsonl#0", "its records go from 1 to 172"),
        ("s:row.jsonl#1", "did you mean 's:rows.jsonl'"),
        ("t:rows.jsonl#1", "did you mean 's:rows.jsonl'"),
        ("rows.jsonl", "such as s:rows.jsonl#1"),
        ("s:rows.jsonl#x", "such as s:rows.jsonl#1"),
    ],
)
def test_rows_that_are_not_there(folder: Path, asked: str, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        explain(folder, asked)
    assert said in caught.value.hint
    assert len(str(caught.value).splitlines()) <= 5


def test_a_copy_without_its_ledger(bare: Path) -> None:
    shutil.rmtree(bare / "ledger")
    with pytest.raises(DataError, match="holds no ledger"):
        told(bare, "first")


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the folder of a run"):
        explain(tmp_path, "s:rows.jsonl#1")


def test_lines_of_csv_records(tmp_path: Path) -> None:
    lines = [f'"{one["text"]}",{one["label"]}' for one in MADE]
    lines[3] = '"two\nlines of it, and ""quotes"" too",food'
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    found = go(tmp_path, [], sources=[{"use": "csv", "path": "rows.csv", "name": "c"}], steps=[])
    at = {number: explain(found, f"c:rows.csv#{number}").origin.line for number in (1, 3, 4, 5, 160)}
    assert at == {1: 2, 3: 4, 4: 5, 5: 7, 160: 162}


def test_a_row_of_another_dataset_is_named_with_it(tmp_path: Path) -> None:
    exam = "which of these soups did nobody ever bring to the table of the old kitchen in the end"
    lines = [json.dumps(one) for one in [*MADE, {"text": exam, "label": "food", "who": "x"}]]
    # The other row has the name of a row of this run, which it is not.
    (tmp_path / "exam").mkdir()
    (tmp_path / "exam" / "rows.jsonl").write_text(json.dumps({"text": exam}) + "\n")
    against = [{"use": "jsonl", "path": "exam/rows.jsonl", "name": "s"}]
    found = go(tmp_path, lines, steps=[{"use": "decontaminate", "against": against}])
    story = explain(found, str(len(lines)))
    assert story.rejection is not None
    (other,) = story.rejection.relatives
    assert (other.row, other.against, other.text, other.fate.outcome) == ("s:rows.jsonl#1", "s", "", "unknown")
    assert explain(found, "1").all_copies == 0
    printed = told_in_lines(story)
    assert any("like s:rows.jsonl#1" in line and "in the dataset s" in line for line in printed)
    assert "unknown" not in "".join(printed) and "“”" not in "".join(printed)


PREPARE: list[dict[str, Any]] = [
    {"use": "tfidf", "at_most": 60, "longest": 2, "form": "columns", "into": "t"},
    {"use": "scale", "column": ["size", "phone"]},
    {"use": "tfidf", "at_most": 60, "longest": 2, "into": "vector"},
]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{**one, "size": place / 7, "phone": 491701234567 + place} for place, one in enumerate(MADE)]
    train = [{"use": "majority"}]
    folder = tmp_path_factory.mktemp("wide")
    return go(folder, list(map(json.dumps, rows)), steps=[], prepare=PREPARE, train=train, ledger={"changes": "all"})


def test_numbers_are_shown_the_same_wherever_they_stand(wide: Path, tmp_path: Path) -> None:
    story = explain(wide, "12")
    changes = {one.column: one for one in story.changes}
    assert story.read is not None and story.values is not None
    assert story.read["size"] == changes["size"].before == str(11 / 7)
    assert story.values["size"] == changes["size"].after and "[" not in str(changes["size"].after)
    # Figures after the point are no telephone number; seven before it may be one.
    assert story.read["phone"] == changes["phone"].before == "[number]"
    assert all("[number]" not in str(value) for name, value in story.values.items() if name != "phone")
    assert str(story.values["vector"]).startswith("60 numbers, ") and "not 0: 0." in str(story.values["vector"])
    told = explain(Path(shutil.copytree(wide, tmp_path / "far/away/from")), "12").changes  # by the ledger
    assert {one.column: (one.before, one.after) for one in told} == {
        column: (changes[column].before, changes[column].after) for column in ("size", "phone")
    }


def test_very_many_columns_are_folded(wide: Path) -> None:
    lines = told_in_lines(explain(wide, "12"))
    changes = [line for line in lines if line[11:].startswith("tfidf, column t=")]
    assert len(changes) == 8 and any("and 52 more columns" in line for line in lines)
    kept = lines[next(place for place, line in enumerate(lines) if line.startswith("kept  ")) :]
    assert any("size: " in line for line in kept) and any("label: " in line for line in kept)
    assert sum("t=" in line for line in kept) < 20 and not any("t=" in line and "“0.0”" in line for line in kept)
    assert any("more columns, all 0 or without a value" in line for line in kept)
    assert len(lines) < 100


def test_what_the_dataset_holds_is_not_computed_again(wide: Path) -> None:
    asked = f"import sys; from seedbed.flow import explain; print(len(explain({str(wide)!r}, '12').changes)); "
    code = asked + "print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(60 + 2 + 1), "False"]


@pytest.mark.parametrize("files", ["dataset/data/*.parquet", "ledger/*.parquet", "predictions/*.parquet"])
def test_damage_is_told(bare: Path, files: str) -> None:
    row = kept_in(bare, "test")
    for path in bare.glob(files):
        path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="a Parquet file cannot be read") as caught:
        explain(bare, row)
    assert "run the recipe again" in caught.value.hint
