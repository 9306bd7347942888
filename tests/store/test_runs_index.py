"""The index of runs: entries, tags that no two runs share, and where a run's folder is now."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from stored import entry

from seedbed.core.errors import DataError, RecipeError
from seedbed.store.runs import Index, standing_of


def test_the_newest_run_comes_first(tmp_path: Path) -> None:
    root = tmp_path / "store"
    for id in ("run-02", "run-03", "run-01"):
        entry(root, id)
    assert [one.id for one in Index(root).entries()] == ["run-03", "run-02", "run-01"]
    assert Index(tmp_path / "none").entries() == []


def test_a_tag_is_that_of_one_run(tmp_path: Path) -> None:
    root = tmp_path / "store"
    index = Index(root)
    entry(root, "run-01")
    entry(root, "run-02")
    index.tag("run-01", "v1")
    with pytest.raises(RecipeError, match="that of run run-01"):
        index.tag("run-02", "v1")
    assert index.tag("run-02", "v1", force=True).tags == ("v1",)
    assert {one.id: one.tags for one in index.entries()} == {"run-01": (), "run-02": ("v1",)}
    assert index.untag("v1").id == "run-02"
    with pytest.raises(RecipeError, match="no run has this tag"):
        index.untag("v1")


@pytest.mark.parametrize("name", ["", "1", "a/b", "a@latest", "latest", "a b", "../x", "x" * 65, "-v"])
def test_a_tag_cannot_be_taken_for_something_else(tmp_path: Path, name: str) -> None:
    entry(tmp_path / "store", "run-01")
    with pytest.raises(RecipeError, match="cannot be a tag"):
        Index(tmp_path / "store").tag("run-01", name)


def test_a_damaged_entry_is_told(tmp_path: Path) -> None:
    root = tmp_path / "store"
    entry(root, "run-01")
    (root / "runs" / "run-01.json").write_text('{"id": "run-01"')
    with pytest.raises(DataError, match="cannot be read") as caught:
        Index(root).entries()
    assert "run-01.json" in caught.value.at
    entry(root, "run-02")
    found, damaged = Index(root).readable()
    assert [one.id for one in found] == ["run-02"] and [str(one) for one in damaged] == [str(caught.value)]


def test_a_folder_that_moved_is_found_and_one_that_is_gone_is_told(tmp_path: Path) -> None:
    root = tmp_path / "store"
    one = entry(root, "run-01")
    place = Path(one.folder)
    assert standing_of(one).kind == "here"
    place.rename(place.with_name("renamed"))
    assert (standing_of(one).kind, standing_of(one).folder) == ("moved", place.with_name("renamed"))
    shutil.rmtree(place.with_name("renamed"))
    assert (standing_of(one).kind, standing_of(one).there) == ("gone", False)
    place.mkdir()
    (place / "run.json").write_text(json.dumps({"id": "another"}))
    assert standing_of(one).kind == "replaced"
