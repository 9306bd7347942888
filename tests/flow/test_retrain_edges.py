"""Retraining where things are odd: copies of test rows, decisions on them, champions that moved, two at once."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from retrained_sample import RECIPE, rows, write
from seedbed import run
from seedbed.cli.app import app
from seedbed.core.decision import text_hash
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.promotion import Retrained
from seedbed.flow.finished import open_run
from seedbed.flow.naming import find_run
from seedbed.flow.retraining.promoting import promote_run, roll_back
from seedbed.flow.retraining.retrain import _promoted, _standing
from seedbed.store.champions import Champions


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "films.jsonl", rows(500, 1))
    run(tmp_path / "recipe.yaml")
    return tmp_path


def of_split(folder: str | Path, split: str) -> pl.DataFrame:
    files = sorted((Path(folder) / "dataset" / "data").glob(f"{split}-*.parquet"))
    return pl.concat([pl.read_parquet(one) for one in files])


def decided(row: str, text: str, **said: str) -> str:
    fixed = {"id": row, "row": row, "who": "ana", "when": "2026-05-04T09:00:00Z", "read": text_hash(text)}
    return json.dumps({**fixed, **said})


def test_test_rows_stay_who_they_are_whatever_comes_in(place: Path) -> None:
    """New rows repeat test rows; reviewers relabel one test row and reject another: told, and no test row trains."""
    champion = open_run("films@latest")
    tested = of_split(champion.folder, "test").select("row", "text", "label", "place").to_dicts()
    copies = [{name: one[name] for name in ("text", "label", "place")} for one in tested[:7]]
    near = [{**one, "text": f"{one['text']} again"} for one in copies[:3]]
    write(place / "more.jsonl", [*rows(150, 2), *copies, *near])
    moved, gone = tested[20], tested[21]
    other = {"good": "bad", "bad": "good"}[moved["label"]]
    lines = [
        decided(moved["row"], moved["text"], action="relabel", label=other, was=moved["label"], split="test"),
        decided(gone["row"], gone["text"], action="reject", was=gone["label"], split="test"),
    ]
    (place / "review.jsonl").write_text("".join(f"{line}\n" for line in lines))
    told = CliRunner().invoke(app, ["retrain", "films@latest", "--add", "more.jsonl", "--no-promote"])
    folder = open_run("films@latest").folder
    found = Retrained.model_validate_json((folder / "retrain.json").read_bytes())
    assert found.grown is not None
    assert found.grown.copies == {"test": 7}
    texts = {one["text"] for one in (*copies, *near)}
    for split in ("train", "validation"):
        assert not texts & set(of_split(folder, split)["text"])
    assert (found.relabelled, found.grown.corrected, found.grown.gone) == (1, 1, 1)
    assert found.frozen - found.rows == 1
    assert "7 new ones say what a test row says" in told.stdout
    assert "1 other is no longer test rows; 1 answer was corrected since" in told.stdout
    page = (folder / "retrain.html").read_text("utf-8")
    assert "the new answer counts for both models" in page and "7 new rows in" in page
    # A champion that is elsewhere is found; one that is nowhere is told, with a way out.
    promote_run(champion.run.id, "")
    away = champion.folder.with_name("elsewhere")
    champion.folder.rename(away)
    assert _standing(Champions(place / ".seedbed"), open_run(folder)).folder == away
    shutil.rmtree(away)
    with pytest.raises(DataError, match="gone") as error:
        _standing(Champions(place / ".seedbed"), open_run(folder))
    assert "seedbed runs promote RUN" in error.value.hint and "rollback" not in error.value.hint
    champions, challenger = Champions(place / ".seedbed"), open_run(folder).run.id
    for one in (challenger, champion.run.id):  # now there is one before it, whose folder is there
        champions.promote("films", one, "")
    with pytest.raises(DataError, match="gone") as error:
        find_run("films@champion")
    assert f"seedbed runs rollback films gives the place back to run {challenger}" in error.value.hint
    with pytest.raises(DataError, match="gone"):
        promote_run(champion.run.id, "")
    (place / ".seedbed" / "runs" / f"{champion.run.id}.json").unlink()
    with pytest.raises(DataError, match="no entry") as error:
        find_run("films@champion")
    assert "seedbed runs rollback films" in error.value.hint


def test_who_was_not_compared_with_the_champion_does_not_take_its_place(place: Path) -> None:
    champion = open_run("films@latest")
    champions = Champions(place / ".seedbed")
    champions.promote("films", champion.run.id, "first")
    contender = {"run": "new", "folder": ".", "model": "m", "splits": {}, "started": "2026-05-04T09:00:00Z"}
    comparison = {
        "a": "champion", "b": "challenger", "split": "test", "metric": "accuracy", "difference": 0.1, "low": 0.05,
        "high": 0.2, "p": 0.001, "n": 100, "verdict": "better",
    }  # fmt: skip
    told = Retrained.model_validate({
        "name": "films", "champion": {**contender, "run": champion.run.id}, "challenger": contender, "frozen": 9,
        "rows": 9, "promoted": False, "seconds": 1, "comparison": comparison,
    })  # fmt: skip
    champions.promote("films", "meanwhile", "by hand")
    late = _promoted(told, champions)
    assert not late.promoted and "run meanwhile became champion meanwhile" in late.against[0]
    assert champions.champion("films").run == "meanwhile"  # type: ignore[union-attr]
    # Of many at once, one.
    champions.promote("films", champion.run.id, "back")
    ready, won = threading.Barrier(8), []

    def challenge(number: int) -> None:
        ready.wait()
        if champions.promote("films", f"c{number}", "better", over=champion.run.id).run == f"c{number}":
            won.append(number)

    threads = [threading.Thread(target=challenge, args=(one,)) for one in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(won) == 1
    assert champions.champion("films").run == f"c{won[0]}"  # type: ignore[union-attr]


def test_rolling_back_goes_one_by_one_and_ends(tmp_path: Path) -> None:
    champions = Champions(tmp_path)
    for one in "abc":
        champions.promote("films", one, "")
    assert [champions.roll_back("films", "")[1].run for _ in range(2)] == ["b", "a"]
    with pytest.raises(RecipeError, match="nobody was champion before"):
        champions.roll_back("films", "")
    assert champions.champion("films").run == "a"  # type: ignore[union-attr]
    champions.promote("films", "c", "again")
    assert [one.run for one in champions.history("films") if one.undone is None] == ["a", "c"]


@pytest.mark.parametrize("name", ["../films", "a/b", "..", "", "a\\b", "a\x00b"])
def test_a_name_that_is_none_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "films.json").write_text('[{"run": "x", "when": "", "why": ""}]')
    for does in (Champions(tmp_path).champion, lambda name: Champions(tmp_path).promote(name, "x", "")):
        with pytest.raises(DataError, match="no name of a recipe"):
            does(name)
    with pytest.raises(DataError):
        roll_back(name, "", tmp_path)


def test_names_with_dots_and_the_word_champion(tmp_path: Path) -> None:
    champions = Champions(tmp_path)
    champions.promote("a.b-c_D.json", "x", "")
    assert champions.all() == {"a.b-c_D.json": "x"}
