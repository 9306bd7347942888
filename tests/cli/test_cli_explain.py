"""`seedbed explain` as a person sees it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from seedbed.cli import main
from seedbed.flow import Story, run
from seedbed.recipe.loading import parse

LONG = "a very long text about soup and bread, " * 12
HOSTILE = "the \x1b[31mred\x1b[0m team \u202ewon\u202c at home, mail me: anna@example.org"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("cli")
    rows = [{"text": f"soup number {n} with bread", "label": "food"} for n in range(40)]
    rows += [{"text": f"the team won match {n * 7} at home", "label": "sport"} for n in range(40)]
    rows += [
        {"text": LONG, "label": "food"},
        {"text": HOSTILE, "label": "sport"},
        {"text": LONG + "!", "label": "food"},
    ]
    (base / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n{broken")
    recipe = {
        "seedbed": 1,
        "name": "small",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "s"}],
        "steps": [{"use": "normalize"}, {"use": "near_duplicates", "at_least": 0.95}],
        "split": {"use": "random", "keep_together": False},
        "train": [{"use": "majority"}],
        "evaluate": {"metrics": ["macro_f1"], "intervals": {"resamples": 100}, "leakage": False},
    }
    return run(parse(recipe, base), out=base / "out", workers=1).folder


def outcome(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["explain", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, out, err


def test_every_row_is_told_within_80_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in range(1, 85):
        code, out, _ = outcome(capsys, folder, f"s:rows.jsonl#{record}")
        assert code == 0
        assert out.startswith(f"s:rows.jsonl#{record}\n")
        assert max(map(len, out.splitlines())) <= 80


def test_a_rejected_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = outcome(capsys, folder, "s:rows.jsonl#83")
    assert "rejected by near_duplicates: near duplicate (part 3 of 4 that rows pass)" in out
    assert "like s:rows.jsonl#81 (0." in out
    assert "“a very long text about soup" in out


def test_a_malformed_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = outcome(capsys, folder, "s:rows.jsonl#84")
    assert "rejected by jsonl: not json" in out
    assert "record 84, line 84 of rows.jsonl" in out
    assert "“{broken”" in out


def test_a_kept_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = pl.read_parquet(folder / "predictions" / "majority-test.parquet").row(0, named=True)
    _, out, _ = outcome(capsys, folder, row["row"])
    verdict = "right" if row["truth"] == row["predicted"] else f"wrong, it is {row['truth']}"
    assert f"kept, in test; the model got it {verdict.partition(',')[0]}" in out.replace(
        "majority got", "the model got"
    )
    assert f"majority  {row['predicted']} (" in out and verdict in out


def test_text_cannot_steer_the_terminal_and_is_masked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for how in ([], ["--json"]):
        _, out, _ = outcome(capsys, folder, "s:rows.jsonl#82", *how)
        assert "\x1b" not in out and "\u202e" not in out
        assert "anna" not in out and "[e-mail]" in out


def test_json_is_the_story(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = outcome(capsys, folder, "s:rows.jsonl#83", "--json")
    story = Story.model_validate_json(out)
    assert story.fate.outcome == "rejected"
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [("s:rows.jsonl#999", 2, "go from 1 to 84"), ("s:rws.jsonl#1", 2, "did you mean"), ("nonsense", 2, "is no row id")],
)
def test_errors(folder: Path, capsys: pytest.CaptureFixture[str], row: str, code: int, said: str) -> None:
    got, out, err = outcome(capsys, folder, row)
    assert (got, out) == (code, "")
    assert said in err and len(err.splitlines()) <= 5


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = outcome(capsys, tmp_path, "s:rows.jsonl#1")
    assert code == 3 and "not the folder of a run" in err


def test_models_are_named_only_where_there_are_any(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"text": f"soup number {n} with bread", "target": "bread"} for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = {
        "seedbed": 1,
        "name": "pairs",
        "task": {"kind": "text_to_text", "text": "text", "target": "target"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "s"}],
        "split": {"use": "random", "keep_together": False},
    }
    without = run(parse(recipe, tmp_path), out=tmp_path / "out", workers=1).folder
    for place, said in ((folder, True), (without, False)):
        data = pl.read_parquet(place / "dataset/data/train-*.parquet")
        with pytest.raises(SystemExit):
            main(["explain", str(place), data["row"][0]])
        assert ("learned from it" in capsys.readouterr().out) == said
