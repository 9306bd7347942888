"""`seedbed init`: what is printed, what is written, and what is left alone."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.recipe import load

Type = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Types a command beside a file of reviews: exit code, output, complaints."""
    chance = random.Random(5)
    with (tmp_path / "reviews.csv").open("w") as out:
        out.write("id,body,stars\n")
        for number in range(240):
            label = chance.choice(["good", "bad"])
            words = chance.choices(["kind", "warm"] if label == "good" else ["cold", "rude"], k=3)
            words += chance.choices(["the", "soup", "room", "staff", "day", "was", "place", "menu", "light"], k=8)
            chance.shuffle(words)
            out.write(f"{number},{' '.join(words)} {number},{label}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def test_it_says_what_it_found_and_what_to_type(typed: Type, tmp_path: Path) -> None:
    code, out, err = typed("init", "reviews.csv")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "reviews.csv: 240 rows, 3 columns (csv, encoding utf-8, delimiter comma)"
    assert any(line.startswith("text:   body (the only column of free text") for line in lines)
    assert any(line.startswith("label:  stars (the only column with few values that repeat") for line in lines)
    assert any(line.startswith("labels: ") and "good: " in line and "bad: " in line for line in lines)
    assert lines[-2:] == ["wrote recipe.yaml and card.yaml", "next:   seedbed run recipe.yaml"]
    assert sorted(os.listdir()) == ["card.yaml", "recipe.yaml", "reviews.csv"]


@pytest.mark.slow
def test_the_command_that_it_names_works(typed: Type) -> None:
    code, out, _ = typed("init", "reviews.csv", "--json")
    command = json.loads(out)["next"].split()
    assert (code, command[0]) == (0, "seedbed")
    code, out, err = typed(*command[1:], "--workers", "1", "--set", "evaluate.intervals.resamples=200")
    assert code == 0, out + err
    assert "passed" in out


def test_facts_are_json(typed: Type) -> None:
    code, out, _ = typed("init", "reviews.csv", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["rows"], found["whole"]) == (240, True)
    assert found["source"]["use"] == "csv"
    assert found["roles"]["text"] == "body"
    assert sum(found["label"]["counts"].values()) == 240
    assert {column["name"]: column["looks"] for column in found["columns"]} == {
        "id": "id",
        "body": "text",
        "stars": "category",
    }


def test_nothing_is_replaced_unless_forced(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("license: mine\n")
    code, _, err = typed("init", "reviews.csv")
    assert code == 2
    assert "card.yaml" in err and "--force" in err
    assert (tmp_path / "card.yaml").read_text() == "license: mine\n"
    assert not (tmp_path / "recipe.yaml").exists()
    assert typed("init", "reviews.csv", "--force")[0] == 0
    assert "license: mine" not in (tmp_path / "card.yaml").read_text()


def test_elsewhere(typed: Type, tmp_path: Path) -> None:
    code, out, _ = typed("init", "reviews.csv", "--out", "new/place")
    assert code == 0
    assert out.splitlines()[-1] == "next:   seedbed run new/place/recipe.yaml"
    loaded = load(tmp_path / "new/place/recipe.yaml")
    assert loaded.recipe.sources[0].path == "../../reviews.csv"
    assert (loaded.base / loaded.recipe.sources[0].path).resolve() == tmp_path / "reviews.csv"


def test_a_person_chooses(typed: Type) -> None:
    assert typed("init", "reviews.csv", "--label", "star")[0] == 2
    code, _, err = typed("init", "reviews.csv", "--label", "star")
    assert "did you mean 'stars'?" in err
    code, _, err = typed("init", "reviews.csv", "--label", "id")
    assert code == 3
    assert "240 different values" in err and "stars" in err
    code, _, err = typed("init", "reviews.csv", "--text", "stars", "--label", "stars")
    assert code == 2
    assert not Path("recipe.yaml").exists()


def test_a_place_that_cannot_be_written(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code, _, err = typed("init", "reviews.csv", "--out", "file/below")
    assert code == 2, err
    assert "cannot be written" in err
    assert (tmp_path / "file").read_text() == "x"


def test_a_recipe_that_cannot_be_written_leaves_no_card(typed: Type, tmp_path: Path) -> None:
    (tmp_path / "out" / "recipe.yaml").mkdir(parents=True)
    (tmp_path / "out" / "recipe.yaml" / "inside").write_text("x")
    code, _, err = typed("init", "reviews.csv", "--out", "out", "--force")
    assert code == 2, err
    assert os.listdir(tmp_path / "out") == ["recipe.yaml"]


def test_what_stands_in_data_does_not_steer_the_terminal(typed: Type, tmp_path: Path) -> None:
    rows = "\n".join(f"text \x1b]0;{n}\x07 of {n},{'a' if n % 2 else 'b'}" for n in range(30))
    (tmp_path / "evil.csv").write_text(f"te\x1b[2Jxt,label\n{rows}\n")
    code, out, err = typed("init", "evil.csv")
    assert code == 0, err
    assert "\x1b" not in out
    assert load(tmp_path / "recipe.yaml").recipe.task.text == "te\x1b[2Jxt"


def two_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("create table films (title text, genre text)")
        base.execute("create table mails (body text, folder text)")
        kinds = ("work", "home")
        rows = [(f"some words of mail {n} {kinds[n % 2]} and more", kinds[n % 2]) for n in range(40)]
        base.executemany("insert into mails values (?, ?)", rows)
        base.execute("insert into films values ('x', 'y')")
        base.commit()


def test_a_table_a_sheet_or_a_place_is_named(typed: Type, tmp_path: Path) -> None:
    two_tables(tmp_path / "all.db")
    code, _, err = typed("init", "all.db")
    assert code == 3 and "(here: --set sources.0.table=…)" in err, err
    code, out, err = typed("init", "all.db", "--set", "sources.0.table=mails", "--set", "sources.0.license=MIT")
    assert (code, err) == (0, "")
    source = load(tmp_path / "recipe.yaml").recipe.sources[0]
    assert (source.use, source.table, source.license) == ("sqlite", "mails", "MIT")  # type: ignore[attr-defined]
    assert "text:   body" in out
    rows = [{"body": f"some words of row {n}", "kind": "ab"[n % 2]} for n in range(40)]
    (tmp_path / "deep.json").write_text(json.dumps({"one": [{"x": 1}], "two": {"rows": rows}}))
    assert typed("init", "deep.json", "--force", "--set", "sources.0.records=two.rows")[0] == 0
    assert load(tmp_path / "recipe.yaml").recipe.sources[0].records == "two.rows"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("sources.0.shet=May", "shet"),
        ("sources.0.delimiter=ab", "delimiter"),
        ("sources.1.sheet=May", "says nothing of how the file is read"),
        ("train.0.c=4", "says nothing of how the file is read"),
        ("sources.0.sheet", "PATH=VALUE"),
    ],
)
def test_a_wrong_setting_gets_a_clear_error(typed: Type, setting: str, words: str) -> None:
    code, _, err = typed("init", "reviews.csv", "--set", setting)
    assert code == 2 and words in err and len(err.splitlines()) <= 5, err
    assert not Path("recipe.yaml").exists()


def test_a_line_break_in_a_name_breaks_no_line(typed: Type, tmp_path: Path) -> None:
    rows = "\n".join(f"some text number {n},{'a' if n % 2 else 'b'},{n % 7}.5" for n in range(40))
    (tmp_path / "odd.csv").write_text(f'"the\ntext","la\r\nbel","a\nnumber"\n{rows}\n')
    code, out, err = typed("init", "odd.csv")
    assert code == 0, err
    assert "text:   the text (" in out and "  a number" in out
    code, out, err = typed("profile", "odd.csv")
    assert code == 0, err
    assert any(line.startswith("a number               number") for line in out.splitlines())
