"""`seedbed retrain`: a new model takes the champion's place where it is better on rows that neither has seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from retrained_sample import RECIPE, rows, write
from seedbed import run
from seedbed.cli.app import app
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.held_out import noted
from seedbed.core.promotion import Retrained
from seedbed.core.run import Run
from seedbed.flow.finished import open_run
from seedbed.flow.naming import find_run
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.retraining.retrain import retrain
from seedbed.store.champions import Champions
from seedbed.store.collecting import Rule, collect
from seedbed.store.runs import Index


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "films.jsonl", rows(700, 1))
    run(tmp_path / "recipe.yaml")
    return tmp_path


def splits(folder: str | Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((Path(folder) / "dataset" / "data").glob("*.parquet")):
        found |= dict.fromkeys(pl.read_parquet(path)["text"], path.name.partition("-")[0])
    return found


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_a_better_model_is_promoted_and_rolled_back(place: Path) -> None:
    first = open_run("films@latest")
    more = write(place / "more.jsonl", rows(1500, 2))
    code, told = said("retrain", "films@latest", "--add", str(more), "--json")
    found = Retrained.model_validate_json(told)
    assert code == 0 and found.promoted and not found.against
    assert found.champion.run == first.run.id and found.rows == found.frozen == first.run.dataset.splits["test"]
    assert found.comparison is not None and found.comparison.verdict == "better" and found.comparison.low > 0
    assert {one.by for one in found.slices} == {"place", "label", "text length"}
    before, after = splits(first.folder), splits(found.challenger.folder)
    assert {text: after[text] for text in before} == before, "who judged goes on to judge, and no test row trains"
    beside = Retrained.model_validate_json((Path(found.challenger.folder) / "retrain.json").read_bytes())
    assert beside == found
    assert "comparison" in {one.why for one in noted(first.folder)}, "each look at test rows is noted"
    assert open_model("films@champion").run is not None
    assert find_run("films@champion").name == found.challenger.run
    assert said("runs", "rollback", "films", "--why", "complaints") == (
        0,
        f"films@champion is run {first.run.id} again, no longer {found.challenger.run}\n",
    )
    assert open_run("films@champion").run.id == first.run.id
    undone = Champions(place / ".seedbed").history("films")[-1]
    assert undone.undone and undone.undone_why == "complaints"
    assert said("runs", "promote", found.challenger.run[:24])[0] == 0
    assert open_run("films@champion").run.id == found.challenger.run


def test_the_same_rows_again_promote_nothing(place: Path) -> None:
    code, told = said("retrain", "films@latest")
    assert code == 1
    assert "not promoted: films@champion stays run" in told and "not distinguishable from the champion" in told


def test_better_as_a_whole_and_worse_somewhere_is_not_better(place: Path) -> None:
    """New rows teach more words, and the wrong thing about the north."""
    champion = open_run("films@latest")
    write(place / "more.jsonl", rows(9000, 2, wrong=lambda where: where == "north"))
    found = retrain("films@latest", add=[place / "more.jsonl"])
    assert found.comparison is not None and found.comparison.verdict == "better"
    told = {(one.by, one.value): one.comparison for one in found.slices}
    assert told["place", "north"].n + told["place", "south"].n == champion.run.dataset.splits["test"]
    assert told["place", "north"].verdict == "worse" and told["place", "south"].verdict == "better"
    assert not found.promoted and found.against == ("it is worse on place: north",)
    assert open_run("films@champion").run.id == champion.run.id


def test_corrected_answers_count_for_both(place: Path) -> None:
    champion = open_run("films@latest")
    tested = pl.concat(map(pl.read_parquet, (champion.folder / "dataset" / "data").glob("test-*.parquet")))
    lines = [json.loads(line) for line in (place / "films.jsonl").read_text().splitlines()]
    wrong = set(tested["text"].to_list()[:9])
    for line in lines:
        line["label"] = {"good": "bad", "bad": "good"}[line["label"]] if line["text"] in wrong else line["label"]
    write(place / "films.jsonl", lines)
    found = retrain("films@latest")
    assert found.rows == found.frozen and found.relabelled == 9
    assert found.comparison is not None and found.comparison.n == found.frozen


def test_a_failed_gate_is_not_promoted(place: Path) -> None:
    text = (place / "recipe.yaml").read_text()
    (place / "recipe.yaml").write_text(f"{text}gates: [{{metric: macro_f1, split: test, at_least: 0.999}}]\n")
    found = retrain("films@latest", add=[write(place / "more.jsonl", rows(1500, 2))], recipe=place / "recipe.yaml")
    assert found.comparison is not None and found.comparison.verdict == "better"
    assert not found.promoted and found.against == ("its run was stopped: macro_f1 gate",)


def test_asked_not_to_it_only_tells(place: Path) -> None:
    more = write(place / "more.jsonl", rows(1500, 2))
    code, told = said("retrain", "films@latest", "--add", str(more), "--no-promote")
    assert code == 0 and "not promoted, as asked: `seedbed runs promote" in told
    assert len(Champions(place / ".seedbed").history("films")) == 1


def test_decisions_of_reviewers_come_in(place: Path) -> None:
    (place / "review.jsonl").write_text("")
    found = retrain("films@latest")
    assert "use: apply_review" in (Path(found.challenger.folder) / "recipe.yaml").read_text()


def test_what_a_champion_used_stays(place: Path) -> None:
    first = open_run("films@latest").run.id
    retrain("films@latest", add=[write(place / "more.jsonl", rows(1500, 2))])
    Champions(place / ".seedbed").roll_back("films", "")
    collect(place / ".seedbed", Rule(keep_last=0))
    kept = {one.id for one in Index(place / ".seedbed").entries() if not one.collected}
    assert kept == {first}


def changed(place: Path, old: str, new: str) -> Run:
    (place / "recipe.yaml").write_text(RECIPE.replace(old, new))
    return run(place / "recipe.yaml").run


STRATIFIED = "{use: stratified, train: 0.15, validation: 0.15, test: 0.7}"


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        (lambda place: changed(place, STRATIFIED, "{use: k_fold, folds: 3}"), "in folds every row trains"),
        (lambda place: changed(place, "name: films\ntask", "name: movies\ntask"), None),
    ],
    ids=["folds", "another name"],
)
def test_what_cannot_be_retrained_says_why(place: Path, does: Callable[[Path], Any], problem: str | None) -> None:
    latest = does(place)
    if problem:
        with pytest.raises(RecipeError, match=problem):
            retrain(f"{latest.name}@latest")
        return
    with pytest.raises(RecipeError, match="this is the recipe of 'movies'"):
        retrain("films@latest", recipe=place / "recipe.yaml")
    with pytest.raises(RecipeError, match="there is no such file"):
        retrain("films@latest", add=[place / "nowhere.jsonl"])
    with pytest.raises(DataError, match="nobody is champion of that name"):
        open_run("movies@champion")
    with pytest.raises(RecipeError, match="nobody was champion before"):
        Champions(place / ".seedbed").roll_back("films", "")
