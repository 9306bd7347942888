"""One table of everything a person can get wrong: what is said, which exit code, and that nothing is left behind."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.cli import main

RECIPE = """\
seedbed: 1
name: bad
task: {{kind: text_classification, text: text, label: label}}
sources:
  - {{use: csv, path: {path}{more}}}
{rest}
"""
GOOD = "text,label\n" + "".join(
    f"some text number {i} about {'cats' if i % 2 else 'dogs'},{'ab'[i % 2]}\n" for i in range(60)
)


def recipe(path: str = "data.csv", more: str = "", rest: str = "") -> str:
    return RECIPE.format(path=path, more=more, rest=rest)


def file(content: str | bytes, name: str = "data.csv") -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        return recipe(name)

    return make


def written(text: str | bytes) -> Callable[[Path], str | bytes]:
    def make(folder: Path) -> str | bytes:
        (folder / "data.csv").write_text(GOOD)
        return text

    return make


def folder_without(folder: Path) -> str:
    (folder / "things").mkdir()
    (folder / "things" / "notes.docx").write_bytes(b"PK")
    return recipe("things")


def one_long_line(folder: Path) -> str:
    with (folder / "data.csv").open("wb") as out:
        for _ in range(200):
            out.write(b"x" * 1_000_000)
    return recipe()


def long_line_after_header(folder: Path) -> str:
    with (folder / "data.csv").open("wb") as out:
        out.write(b"text,label\n")
        for _ in range(200):
            out.write(b"x" * 1_000_000)
    return recipe()


TRUNCATED = gzip.compress(GOOD.encode() * 50)[:-200]
MIXED_HEADER = "text,label\n".encode("utf-16") + "größer,b\n".encode("latin-1")

#: What is wrong, how to make it, the exit code, and words that the message must have.
CASES: list[tuple[str, Callable[[Path], str | bytes], int, list[str]]] = [
    ("missing file", lambda _: recipe("nowhere.csv"), 3, ["nowhere.csv"]),
    ("folder with nothing that fits", folder_without, 3, ["things"]),
    ("types of a CSV", written(recipe(more=", types: {label: integer}")), 2, ["sources.0.types", "use: cast"]),
    ("a source by its name", written(recipe().replace("{use: csv,", "{csv: 1,")), 2, ["write {use: csv, …}"]),
    ("empty file", file(""), 3, ["data.csv", "empty"]),
    ("header only", file("text,label\n"), 3, ["data.csv"]),
    ("NUL bytes", file(b"text,label\n" + b"\0" * 4000), 3, ["data.csv"]),
    ("one 200 MB line", one_long_line, 3, ["data.csv"]),
    ("a header and one 200 MB line", long_line_after_header, 3, ["data.csv"]),
    ("truncated gzip", file(TRUNCATED, "data.csv.gz"), 3, ["data.csv.gz"]),
    ("mixed encodings", file(MIXED_HEADER), 3, ["data.csv"]),
    ("duplicated header names", file("text,label,text\na,b,c\n"), 3, ["text", "data.csv"]),
    ("random bytes", file(random.Random(1).randbytes(1 << 12)), 3, ["data.csv"]),
    ("no text column", file("body,label\nsome words,a\n"), 2, ["text", "body"]),
    ("no label column", file("text,tag\nsome words,a\n"), 2, ["label", "tag"]),
    ("all labels missing", file("text,label\n" + "some words here,\n" * 30), 3, ["unlabelled", "30"]),
    ("one class", file("text,label\n" + "".join(f"words of text {i},a\n" for i in range(50))), 3, ["label"]),
    ("two rows", file("text,label\nsome words,a\nother words,b\n"), 3, ["2"]),
]  # fmt: skip
WRONG_RECIPES: list[tuple[str, Callable[[Path], str | bytes], int, list[str]]] = [
    (
        "wrong delimiter",
        lambda folder: written(recipe(more=', delimiter: ";"'))(folder),
        3,
        [",", "delimiter"],
    ),
    ("a tab", written("seedbed: 1\n\tname: x\n"), 2, ["recipe.yaml:2", "tab"]),
    ("empty", written(""), 2, ["empty"]),
    ("a list", written("- a\n- b\n"), 2, ["list"]),
    ("not YAML", written("{: }]["), 2, ["recipe.yaml:1"]),
    ("not text", written(b"\xff\xfe\x00\x01seedbed"), 2, ["recipe.yaml"]),
    ("a typo in a key", written(recipe(rest="chekcs: []")), 2, ["recipe.yaml:6", "checks"]),
    (
        "a part that does not exist",
        written(recipe(rest="steps:\n  - {use: fix_txt}")),
        2,
        ["recipe.yaml:7", "fix_text"],
    ),
    ("a number where a list belongs", written(recipe(rest="steps: 3")), 2, ["recipe.yaml:6", "list"]),
    (
        "shares above 1",
        written(recipe(rest="split: {use: stratified, train: 0.9, validation: 0.2, test: 0.2}")),
        2,
        ["recipe.yaml:6", "1.3"],
    ),
    (
        "a step's column that is not there",
        written(recipe(rest="steps:\n  - {use: text_length, column: txt, at_least: 2}")),
        2,
        ["recipe.yaml:7", "text"],
    ),
    (
        "a group's column that is not there",
        written(recipe(rest="evaluate: {fairness: [sex]}")),
        2,
        ["recipe.yaml:6: evaluate.fairness", "'sex'"],
    ),
]


@pytest.mark.parametrize(
    ("make", "code", "words"), [pytest.param(*case[1:], id=case[0]) for case in CASES + WRONG_RECIPES]
)
def test_says_what_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], str | bytes],
    code: int,
    words: list[str],
) -> None:
    text = make(tmp_path)
    (tmp_path / "recipe.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    with pytest.raises(SystemExit) as ended:
        main(["run", "recipe.yaml", "--out", "result", "--workers", "1"])
    told = capsys.readouterr().err
    message = told[told.index("error:") :] if "error:" in told else told
    assert ended.value.code == code, told
    assert "Traceback" not in told
    assert len(message.strip().splitlines()) <= 5, message
    assert all(word in message for word in words), message
    assert not (tmp_path / "result").exists()
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
