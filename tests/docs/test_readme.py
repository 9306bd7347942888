"""What the README shows is what happens: its recipe runs, its message is printed, its links lead somewhere."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def snippets(language: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    return [body for name, body in blocks if name == language]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    chance = random.Random(5)
    good = ["great", "lovely", "perfect", "tasty", "warm", "kind"]
    bad = ["awful", "cold", "rude", "broken", "late", "bland"]
    with (tmp_path / "reviews.csv").open("w") as out:
        out.write("body,stars\n")
        for number in range(600):
            stars = chance.choice(["good", "bad"])
            words = chance.choices(good if stars == "good" else bad, k=3) + chance.choices(
                ["the", "soup", "room", "staff", "day", "was"], k=6
            )
            chance.shuffle(words)
            out.write(f"{' '.join(words)} {number},{stars}\n")
    (tmp_path / "recipe.yaml").write_text(snippets("yaml")[0])
    return tmp_path


def seedbed(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seedbed", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "SEEDBED_STORE": str(place / "store")},
    )


def test_the_recipe_runs_and_leaves_what_the_table_says(place: Path) -> None:
    done = seedbed(place, "run", "recipe.yaml")
    assert done.returncode == 0, done.stderr
    named = re.findall(r"^\| `([\w./*]+)`(?:, `([\w./*]+)`)? \|", README, flags=re.MULTILINE)
    files = [name for pair in named for name in pair if name]
    assert len(files) == 8
    for name in files:
        assert list((place / "runs/reviews/latest").glob(name.rstrip("/"))), name


def test_the_message_is_what_is_printed(place: Path) -> None:
    shown = next(block for block in snippets("") if block.startswith("error:"))
    recipe = (place / "recipe.yaml").read_text()
    line = int(re.search(r"recipe.yaml:(\d+)", shown)[1])  # type: ignore[index]
    lines = recipe.splitlines()
    assert "fix_text" in lines[line - 1]
    (place / "recipe.yaml").write_text(recipe.replace("fix_text", "fix_txt"))
    assert seedbed(place, "run", "recipe.yaml").stderr == shown


def test_the_python_runs(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("SEEDBED_STORE", str(place / "store"))
    exec(snippets("python")[0], {})
    assert capsys.readouterr().out.startswith("passed")


def test_commands_that_are_named_exist(place: Path) -> None:
    for command in set(re.findall(r"`(seedbed (?:parts|schema)[\w ]*)", README)):
        assert seedbed(place, *command.split()[1:]).returncode == 0, command


@pytest.mark.parametrize(
    "page", sorted(p.relative_to(ROOT) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=str
)
def test_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


def test_rooms_that_are_named_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for name in set(
        re.findall(r"`((?:core|engine|flow|cli|recipe|splits|sources|evaluate|report|publish)/[\w/]*\.?\w*)`", text)
    ):
        assert (ROOT / "src/seedbed" / name).exists(), name
