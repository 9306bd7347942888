"""`--dry-run` writes nothing and tells what a run then does; `--limit` is a run that nobody takes for the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seedbed
from seedbed.cli.app import main
from seedbed.flow import preview
from seedbed.flow.naming import look_up
from seedbed.recipe import load
from seedbed.sources.jsonl import Jsonl
from seedbed.store.runs import Index

ROWS = 3000
RECIPE = """\
seedbed: 1
name: looks
task: {kind: text_classification, text: text, label: label}
sources: [{use: jsonl, path: rows.jsonl, name: rows, license: MIT}]
steps:
  - {use: normalize}
  - {use: text_length, at_least: 12}
  - {use: exact_duplicates}
train: [{use: majority}]
evaluate: {intervals: {resamples: 200}}
publish: [{use: folder, path: published}]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Jsonl, "block_bytes", 10_000)
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "rows.jsonl").open("w") as out:
        for row in range(ROWS):
            text = "too short" if row % 10 == 3 else f"  this is row {row % (ROWS - 100)} of them all  "
            out.write("no json\n" if row % 50 == 7 else json.dumps({"text": text, "label": "ab"[row % 2]}) + "\n")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*")}


def test_a_dry_run_writes_nothing_and_tells_what_comes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(place)
    found = preview(load(Path("recipe.yaml")), workers=1)
    assert files(place) == before
    reading, applying = found.passes
    assert (reading.steps, reading.ends_with) == (("normalize", "text_length"), "exact_duplicates")
    assert applying.steps == ("task",)
    assert not reading.there
    assert not reading.judged
    assert reading.units is not None
    assert reading.units > 10
    assert reading.units_there == 0
    assert found.sample_blocks == 3
    assert 0 < found.sample_rows < ROWS
    told = {step.part: step for step in reading.estimates}
    finished = seedbed.run("recipe.yaml", workers=1)
    true = finished.run.rows.rejected
    # Each block holds its share of what is planted, so three of them say what all hold, within a few rows.
    assert told["jsonl"].rows_in == pytest.approx(ROWS, rel=0.05)
    assert sum(told["jsonl"].rejected.values()) == pytest.approx(sum(true["jsonl"].values()), rel=0.25)
    assert sum(told["text_length"].rejected.values()) == pytest.approx(sum(true["text_length"].values()), rel=0.1)
    assert told["normalize"].changed == pytest.approx(finished.run.rows.changed["normalize"], rel=0.1)

    again = preview(load(Path("recipe.yaml")), workers=1)
    assert all(one.there and one.judged and one.cpu_seconds == 0 for one in again.passes)
    assert again.then[0] == "split and verify: stratified", "rows were compared"
    assert not any("leakage" in one for one in preview(load(Path("recipe.yaml"), ["evaluate.leakage=false"])).then)
    exact = {step.part: step for step in again.passes[0].estimates}
    assert exact["jsonl"].rows_in == ROWS
    assert exact["text_length"].rejected == true["text_length"]

    with (place / "rows.jsonl").open("a") as out:
        out.write(json.dumps({"text": "a row that was appended", "label": "a"}) + "\n")
    grown = preview(load(Path("recipe.yaml")), workers=1).passes[0]
    assert grown.units is not None
    assert grown.units_there is not None
    assert not grown.there
    assert grown.units - grown.units_there in (1, 2), "the last block, or one more"

    before = files(place)
    with pytest.raises(SystemExit) as end:
        main(["run", "recipe.yaml", "--dry-run"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert f"{grown.units_there} of {grown.units} units are in the store" in said
    assert "nothing is done or written" in said
    assert "rows in 3 blocks" in said
    assert "cleaning only: about" in said
    assert "not in it, and often most of a run: compare rows: exact_duplicates · split and verify: stratified" in said
    assert "leakage: the best model once more" in said
    assert "in all" not in said
    assert files(place) == before


def test_a_dry_run_tells_a_wrong_column_as_the_run_would(place: Path) -> None:
    (place / "recipe.yaml").write_text(RECIPE.replace("at_least: 12", "at_least: 12, column: txt"))
    with pytest.raises(seedbed.RecipeError, match="txt") as told:
        preview(load(Path("recipe.yaml")))
    assert "recipe.yaml:7" in told.value.at


def test_a_dry_run_of_a_quick_look_prints_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(place)
    with pytest.raises(SystemExit) as end:
        main(["run", "recipe.yaml", "--dry-run", "--limit", "100", "--json"])
    assert end.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passes"][0]["estimates"][0]["rows_in"] == 100
    assert told["then"] == [
        "compare rows: exact_duplicates",
        "split and verify: stratified",
        "train: majority",
        "leakage: the best model once more (evaluate.leakage=false leaves it out)",
    ], "nothing is published"
    assert files(place) == before


def test_a_quick_look_is_short_said_and_never_published(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = seedbed.run("recipe.yaml", workers=1)
    units = len(list((place / ".seedbed" / "units").iterdir()))
    latest = (place / "runs" / "looks" / "latest").resolve()
    with pytest.raises(SystemExit) as end:
        main(["run", "recipe.yaml", "--limit", "1000", "--workers", "1", "--json"])
    assert end.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["limit"] == 1000
    assert told["rows"]["read"] == 1000
    assert told["published"] == []
    assert not (place / "published").exists()
    assert (place / "runs" / "looks" / "latest").resolve() == latest
    named = look_up("looks@latest", Index(place / ".seedbed").entries())
    assert named is not None
    assert named.id == whole.run.id
    folder = Path(told["folder"])
    assert any("quick look" in notice for notice in told["notices"])
    assert "quick look" in (folder / "report.html").read_text()
    assert "This is a quick look" in (folder / "dataset" / "README.md").read_text()
    assert "--limit 1000" in json.loads((folder / "run.json").read_text())["command"]
    # Of about fifteen blocks, the last, which the limit cuts, is new; after the comparison all are others.
    reading = [json.loads((unit / "done.json").read_text()) for unit in (place / ".seedbed" / "units").iterdir()]
    assert len(reading) > units
    first_pass = [facts for facts in reading if "sources" in facts]
    assert sum(facts["read"] for facts in first_pass) < ROWS + 200
    (place / "as_it_ran.yaml").write_text((folder / "recipe.yaml").read_text())
    again = seedbed.run("as_it_ran.yaml", out=place / "again", workers=1)
    assert again.run.dataset.digest == told["digest"], "the recipe in its folder makes it again"


def test_a_preview_tells_who_is_told_of_the_run_and_a_quick_look_tells_nobody(place: Path) -> None:
    (place / "recipe.yaml").write_text(f"{RECIPE}track: {{use: tensorboard}}\n")
    assert preview(load(Path("recipe.yaml")), workers=1).then[-2:] == ("track: tensorboard", "publish: published")
    short = preview(load(Path("recipe.yaml")), workers=1, limit=500).then
    assert not [one for one in short if one.startswith(("track", "publish"))]


def test_a_source_keeps_its_own_limit_where_that_is_less(place: Path) -> None:
    (place / "recipe.yaml").write_text(RECIPE.replace("name: rows,", "name: rows, limit: 500,"))
    assert seedbed.run("recipe.yaml", workers=1, limit=800).run.rows.read == 500
    assert seedbed.run("recipe.yaml", workers=1, limit=300).run.rows.read == 300
