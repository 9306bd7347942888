"""`seedbed predict` as it is typed."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import polars as pl
import pytest

from predicting_sample import rows, small_run, write
from seedbed.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("run")).folder


def typed(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["predict", *map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_texts_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(folder, "--text", "what a great\nfilm \x1b[31mit was", "--text", "meh") == 0
    first, second = capsys.readouterr().out.split("\n\n")
    lines = first.splitlines()
    assert lines[0].startswith("good  ")
    assert "%, " in lines[0]
    assert lines[1] == "  text: what a great film �[31mit was"
    assert lines[2].startswith("  then: bad ")
    assert len(lines) == 3
    assert "warning: training left out rows like this one (text_length: too_short)" in second


def test_texts_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "what a great \u202e film \x9b it was"
    assert typed(folder / "models/tfidf_logistic", "--text", hostile, "--json") == 0
    out = capsys.readouterr().out
    assert "\u202e" not in out
    assert "\x9b" not in out
    (found,) = map(json.loads, out.splitlines())
    assert (found["text"], found["predicted"]) == (hostile, "good")
    assert sum(found["probabilities"].values()) == pytest.approx(1)


def test_a_file_to_a_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [{**one, "mood": "so so"} for one in rows(60)]
    given, out = write(tmp_path / "new.jsonl", made), tmp_path / "out.csv"
    assert typed(folder, given, "--out", out, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["rows"], facts["malformed"], facts["out"]) == (60, 0, str(out))
    assert sum(facts["predicted"].values()) == 60
    assert typed(folder, given, "--out", out) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert f"60 rows to {out}" in told.err
    assert "labels that the model does not know: not compared" in told.err
    assert pl.read_csv(out).height == 60


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_disk_without_room_is_told(
    folder: Path, ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = write(tmp_path / "new.jsonl", rows(400)), tmp_path / f"out.{ending}"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        code = typed(folder, given, "--out", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told = capsys.readouterr().err
    assert code == 3, told
    assert "a file cannot be read or written" in told
    assert "File too large" in told
    assert list(tmp_path.iterdir()) == [given]


@pytest.mark.parametrize("place", ["new.jsonl/out.csv", f"{'a' * 300}.csv", "loop/out.csv"])
def test_a_place_where_no_file_can_be_is_told(
    folder: Path, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = write(tmp_path / "new.jsonl", rows(10))
    (tmp_path / "loop").symlink_to("loop")
    assert typed(folder, given, "--out", tmp_path / place) == 3
    assert "a file cannot be read or written" in capsys.readouterr().err


def test_a_file_to_the_screen(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("said,mood\nwhat a great film,good\nan awful film,bad\n")
    assert typed(folder, tmp_path / "new.csv") == 0
    told = capsys.readouterr()
    assert [json.loads(line)["predicted"] for line in told.out.splitlines()] == ["good", "bad"]
    assert "2 of 2 rows with a label of their own got that one: accuracy 1.000 (0.158 to 1.000)" in told.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "nothing to label"),
        (["new.csv", "--text", "x"], 2, "cannot be labelled at once"),
        (["--text", "x", "--out", "x.csv"], 2, "--out is for files"),
        (["nowhere.csv"], 3, "no such file"),
        (["new.csv", "--out", "x.doc"], 2, "tells no format"),
        (["new.csv", "--column", "said"], 2, "no INPUT=COLUMN"),
        (["new.csv", "--column", "sad=said"], 2, "did you mean 'said'"),
        (["new.csv", "--probabilities", "top"], 2, "or a number such as 3"),
        (["new.csv", "--probabilities", "0"], 2, "all, none"),
        (["--text", "x", "--probabilities", "3"], 2, "--probabilities is for files"),
        (["--text", "half \ud83d"], 3, "half of a surrogate pair"),
    ],
)
def test_what_is_refused(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.csv").write_text("said\nwhat a great film\nand another\n")
    assert typed(folder, *arguments) == code
    told = capsys.readouterr().err
    assert words in told
    errors = told[told.index("error:") :]
    assert len(errors.splitlines()) <= 5
    assert "Traceback" not in told


def test_a_changed_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_run(tmp_path).folder
    path = folder / "models/tfidf_logistic/preprocess.json"
    told = json.loads(path.read_text())
    told["steps"][0]["part"]["use"], told["steps"][0]["name"] = "normalize", "normalize"
    told["steps"][0]["part"] = {"use": "normalize", "column": "said", "lowercase": True}
    told["golden"][0]["input"]["said"] = told["golden"][0]["input"]["said"].upper()
    path.write_text(json.dumps(told))
    assert typed(folder, "--text", "x") == 4
    assert "damaged" in capsys.readouterr().err
