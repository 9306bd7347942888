"""`seedbed retrain` where rows are split by time: a window that neither model has seen judges both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from retrained_sample import RECIPE, rows, write
from seedbed import run
from seedbed.core.errors import RecipeError
from seedbed.core.promotion import Retrained
from seedbed.flow.finished import open_run
from seedbed.flow.retraining.retrain import retrain

STRATIFIED = "{use: stratified, train: 0.15, validation: 0.15, test: 0.7}"
BY_TIME = "{use: time, column: day, train: 0.5, validation: 0.2, test: 0.3}"


def dated(told: Sequence[dict[str, str]], first: int) -> list[Any]:
    """Ten rows a day."""
    return [{**row, "day": first + place // 10} for place, row in enumerate(told)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace(STRATIFIED, BY_TIME))
    write(tmp_path / "films.jsonl", dated(rows(400, 1), 0))
    run(tmp_path / "recipe.yaml")
    return tmp_path


def days(folder: str | Path, *splits: str) -> list[int]:
    files = [one for split in splits for one in (Path(folder) / "dataset" / "data").glob(f"{split}-*.parquet")]
    return pl.concat([pl.read_parquet(one) for one in files])["day"].to_list()


def test_a_later_window_judges_and_no_model_has_seen_it(place: Path) -> None:
    champion = open_run("films@latest")
    told = rows(1500, 2)
    told[-1] = rows(400, 1)[0]  # the champion learned from this one
    write(place / "more.jsonl", dated(told, 40))
    found = retrain("films@latest", add=[place / "more.jsonl"])
    assert found.judges == "later" and found.later is not None and found.later.column == "day"
    seen = max(days(champion.folder, "train", "validation"))
    assert found.later.after == str(seen)
    judges = days(found.challenger.folder, "test")
    assert found.rows == sum(day > seen for day in judges) and found.rows > 300
    assert max(days(found.challenger.folder, "train", "validation")) < min(judges)  # nor has the challenger
    assert found.comparison is not None and found.comparison.n == found.rows
    assert found.comparison.verdict == "better" and found.promoted
    # The champion's own test rows train by now: they may, for they judge nobody.
    assert max(days(found.challenger.folder, "train")) > min(days(champion.folder, "test"))
    assert {one.by for one in found.slices} >= {"label", "place", "text length"}
    assert Retrained.model_validate_json((Path(found.challenger.folder) / "retrain.json").read_bytes()) == found
    page = (Path(found.challenger.folder) / "retrain.html").read_text("utf-8")
    assert "of a later window" in page and "Promoted" in page


def test_where_nothing_new_came_the_two_are_the_same(place: Path) -> None:
    champion = open_run("films@latest")
    found = retrain("films@latest")
    assert found.rows == champion.run.dataset.splits["test"] and not found.promoted
    assert found.comparison is not None and found.comparison.difference == 0


def test_the_champion_must_read_rows_as_the_challenger_does(place: Path) -> None:
    text = (place / "recipe.yaml").read_text()
    (place / "recipe.yaml").write_text(f"{text}steps: [{{use: text_length, at_least: 3}}]\n")
    with pytest.raises(RecipeError, match="other steps"):
        retrain("films@latest", recipe=place / "recipe.yaml")
    (place / "recipe.yaml").write_text(f"{text}prepare: [{{use: class_weights}}]\n")
    with pytest.raises(RecipeError, match="what the challenger learned"):
        retrain("films@latest", recipe=place / "recipe.yaml")
