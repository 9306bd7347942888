"""The recipe in a run's own folder: it makes the run again, or says where it can."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_run import recipe, texts, write

from seedbed.core.errors import RecipeError
from seedbed.flow.holding import hold
from seedbed.flow.running import run
from seedbed.recipe.loading import dump, load, parse


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A recipe beside its data."""
    write(tmp_path, texts(150))
    path = tmp_path / "recipe.yaml"
    path.write_text(dump(parse(recipe(evaluate={"leakage": False, "intervals": {"resamples": 100}})).recipe))
    return path


def test_it_makes_the_run_again(made: Path, tmp_path: Path) -> None:
    first = run(load(made), workers=1)
    latest = tmp_path / "runs" / "small" / "latest" / "recipe.yaml"
    loaded = load(latest)
    assert loaded.base == tmp_path.resolve()
    again = run(loaded, workers=1)
    assert again.run.dataset.digest == first.run.dataset.digest
    assert again.folder.parent == first.folder.parent and again.folder != first.folder
    assert hold(str(tmp_path / "rows.jsonl"), load(latest), workers=1).passed
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert load(moved / "runs" / "small" / "latest" / "recipe.yaml").base == moved.resolve()


def test_elsewhere_it_says_where_it_can(made: Path, tmp_path: Path) -> None:
    run(load(made), out=tmp_path / "out", workers=1)
    with pytest.raises(RecipeError, match="the folder of the recipe that ran") as error:
        run(load(tmp_path / "out" / "recipe.yaml"), workers=1)
    assert "out/recipe.yaml:" in error.value.at and "where rows.jsonl is" in error.value.hint
    (tmp_path / "copy.yaml").write_bytes((tmp_path / "out" / "recipe.yaml").read_bytes())
    assert load(tmp_path / "copy.yaml").base == tmp_path.resolve()
    text = (tmp_path / "out" / "recipe.yaml").read_text().replace("rows.jsonl", str(tmp_path / "rows.jsonl"))
    (tmp_path / "out" / "recipe.yaml").write_text(text)
    assert load(tmp_path / "out" / "recipe.yaml").base == (tmp_path / "out").resolve()
