"""`seedbed init`: what is printed, what is written, and what is left alone."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
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
