"""What cannot be looked at closely is told before anything runs, and what fails then costs no run."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scrutiny_sample import recipe, rows

from seedbed.core.errors import BooksError, DataError, MissingExtraError, RecipeError
from seedbed.flow.judging import scrutiny
from seedbed.flow.previewing import preview
from seedbed.flow.running import run
from seedbed.recipe.loading import parse


@pytest.mark.parametrize(
    ("task", "option", "value"),
    [
        ({"kind": "causal_lm", "text": "text"}, "people", "p.csv"),
        ({"kind": "text_to_text", "text": "text", "target": "y"}, "conformal", 0.9),
        ({"kind": "text_to_text", "text": "text", "target": "y"}, "fairness", ["region"]),
        ({"kind": "tabular_classification", "label": "label"}, "robustness", True),
        ({"kind": "tabular_classification", "label": "label"}, "clusters", True),
        ({"kind": "text_classification", "text": "text", "label": "label"}, "fairness", ["label"]),
        ({"kind": "text_classification", "text": "text", "label": "label"}, "conformal", 1.0),
    ],
)
def test_what_cannot_be_told_is_refused_before_anything_runs(
    tmp_path: Path, task: dict[str, Any], option: str, value: Any
) -> None:
    learners = {"causal_lm": "ngram", "text_to_text": "copy_input", "tabular_classification": "majority"}
    asked = recipe(tmp_path, rows(5), task=task, train=[{"use": learners.get(task["kind"], "majority")}])
    asked["evaluate"] = {option: value}
    with pytest.raises(RecipeError, match=option):
        parse(asked, tmp_path)


def test_a_file_of_people_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "persons.csv").write_text("text,answer\n")
    asked = recipe(tmp_path, rows(100), evaluate={"people": "person.csv"})
    with pytest.raises(RecipeError, match=r"person\.csv") as told:
        run(parse(asked, tmp_path), out=tmp_path / "out", workers=1)
    assert "persons.csv" in str(told.value)
    assert not (tmp_path / "out").exists()


def test_a_file_of_people_that_cannot_be_read_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("text,answer\none,food\ntwo,food,sport\n")
    asked = recipe(tmp_path, rows(100), evaluate={"people": "people.csv"})
    for begin in (partial(run, out=tmp_path / "out", workers=1), partial(preview, workers=1)):
        with pytest.raises(DataError, match=r"people\.csv:3: this row has 3 cells"):
            begin(parse(asked, tmp_path))
    assert not (tmp_path / "out").exists() and not (tmp_path / ".seedbed" / "passes").exists()


@pytest.mark.parametrize("known", [True, False])
def test_a_label_to_decide_on_that_there_is_not_is_told_before_training(tmp_path: Path, known: bool) -> None:
    asked = recipe(tmp_path, rows(100), evaluate={"thresholds": {"positive": "fodo"}})
    if known:
        asked["task"]["labels"] = ["food", "sport"]
    with pytest.raises(RecipeError, match=r"evaluate\.thresholds\.positive.*'fodo'") as told:
        run(parse(asked, tmp_path), out=tmp_path / "out", workers=1)
    assert "food" in told.value.hint and not list((tmp_path / ".seedbed").glob("models/*"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (np.linalg.LinAlgError("SVD did not converge"), "it failed with LinAlgError: SVD did not converge"),
        (MemoryError(), "there is not memory enough for it"),
        (RecipeError("no such thing", at="somewhere"), "no such thing"),
        (MissingExtraError("needs a package"), "needs a package"),
        (BooksError("a row was lost"), None),
        (KeyError("a fault of ours"), None),
        (OSError(28, "No space left on device"), None),
    ],
    ids=lambda one: type(one).__name__,
)
def test_with_what_a_look_may_end_without_losing_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str | None
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(scrutiny, "error_clusters", fails)
    asked = recipe(tmp_path, rows(120), train=[{"use": "majority"}], evaluate={"clusters": True, "conformal": 0.8})
    if said is None:
        with pytest.raises((type(error), DataError)):
            run(parse(asked, tmp_path), workers=1)
        return
    done = run(parse(asked, tmp_path), workers=1)
    assert done.run.state == "passed" and done.run.scrutiny is not None and done.run.scrutiny.conformal
    assert done.run.scrutiny.notes == (f"clusters: {said}",)


def test_targets_beyond_what_can_be_learned_are_told_with_their_row(tmp_path: Path) -> None:
    given = rows(120)
    given[7]["y"], given[9]["y"] = 1e200, -1e200
    task = {"kind": "regression", "text": "text", "target": "y"}
    split = {"use": "random", "train": 0.6, "validation": 0.2, "test": 0.2}
    asked = recipe(tmp_path, given, task=task, split=split, train=[{"use": "tfidf_ridge"}])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=r"column 'y': 2 targets are beyond 1e\+30.*row small:rows\.jsonl#"):
            run(parse(asked, tmp_path), out=tmp_path / "out", workers=1)
        given[7]["y"], given[9]["y"] = 1e29, -1e29
        done = run(parse(recipe(tmp_path, given, task=task, split=split, train=asked["train"]), tmp_path), workers=1)
    assert done.run.state == "passed" and done.run.best


def test_a_column_of_groups_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    asked = recipe(tmp_path, rows(100), evaluate={"fairness": ["regoin"]})
    with pytest.raises(RecipeError, match="regoin"):
        run(parse(asked, tmp_path), out=tmp_path / "out", workers=1)
