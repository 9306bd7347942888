"""A learner that fails: the run's folder says so and holds what the others came to, and the next run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
import pytest
from test_run import recipe, texts, write

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.learner import Learner, Model
from seedbed.core.task import Task
from seedbed.flow.finished import open_run
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse
from seedbed.store.going import journals
from seedbed.store.runs import Index
from seedbed.train.majority import Majority


class Fails(Majority):
    """Fails with what it is told to, or else guesses like `majority`."""

    use: Literal["fails"] = "fails"  # type: ignore[assignment]
    how: ClassVar[type[Exception] | None] = None

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> Model:
        """Guess the most frequent label."""
        if self.how is not None:
            raise self.how("on purpose")
        return super().fit(train, validation, task, context)


@pytest.fixture(autouse=True)
def _leaves_no_part() -> Iterator[None]:
    yield
    Fails.how = None


Learner.catalogue.pop("fails")


def go(folder: Path, *learners: Learner, out: str = "out", **more: object) -> Finished:
    loaded = parse(recipe(**more), folder)
    given = (*loaded.recipe.train, *learners)
    return run(replace(loaded, recipe=loaded.recipe.model_copy(update={"train": given})), out=folder / out, workers=1)


@pytest.mark.parametrize(
    ("how", "said"),
    [(ZeroDivisionError, "it failed with ZeroDivisionError: on purpose"), (MemoryError, "not memory enough for it")],
)
def test_what_the_others_came_to_stays(tmp_path: Path, how: type[Exception], said: str) -> None:
    write(tmp_path, texts(150))
    Fails.how = how
    gate = {"metric": "accuracy", "at_least": 0.1}
    with pytest.raises(ModelError, match=said) as error:
        go(tmp_path, Fails(), gates=[gate, {**gate, "model": "majority"}], publish=[{"use": "folder", "path": "there"}])
    assert error.value.exit_code == 4 and f"all else of the run is in {tmp_path / 'out'}" in error.value.hint
    assert len(str(error.value).splitlines()) <= 5
    record = open_run(tmp_path / "out").run
    assert record.state == "failed" and any(stop.startswith("learner fails: ") for stop in record.stopped_by)
    assert [model.name for model in record.models] == ["majority"] == [record.best]
    assert record.models[0].scores["test"] and all(one.passed for one in record.gates)
    assert [path.name for path in (tmp_path / "out" / "models").iterdir()] == ["majority"]
    assert {path.name.split("-")[0] for path in (tmp_path / "out" / "predictions").iterdir()} == {"majority"}
    assert "learner fails" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert not (tmp_path / "there").exists()
    entry, store = Index(tmp_path / ".seedbed").entries()[0], tmp_path / ".seedbed"
    assert (entry.state, [model.name for model in entry.models]) == ("failed", ["majority"]) and not journals(store)
    before = _seals(store)
    Fails.how = None
    done = go(tmp_path, Fails(), out="again", gates=[gate])
    assert done.run.state == "passed" and [model.name for model in done.run.models] == ["majority", "fails"]
    assert {place: at for place, at in _seals(store).items() if place in before} == before, "nothing was done twice"
    assert done.run.dataset.digest == record.dataset.digest


def test_nothing_is_left_of_a_learner_that_fails_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its predictions are written when its model cannot be saved."""
    from seedbed.flow.judging import bundling

    save = bundling.save_bundle

    def fail(model: Model, folder: Path, *, learner: Learner, **more: object) -> None:
        save(model, folder, learner=learner, **more)
        if learner.use == "fails":
            raise ModelError("the model cannot be saved", at="fails")

    write(tmp_path, texts(150))
    monkeypatch.setattr(bundling, "save_bundle", fail)
    with pytest.raises(ModelError, match="cannot be saved"):
        go(tmp_path, Fails())
    assert {path.name.split("-")[0] for path in (tmp_path / "out" / "predictions").iterdir()} == {"majority"}
    assert [path.name for path in (tmp_path / "out" / "models").iterdir()] == ["majority"]


def test_all_may_fail(tmp_path: Path) -> None:
    write(tmp_path, texts(150))
    Fails.how = ValueError
    with pytest.raises(ModelError, match="learner fails failed, and 1 more failed"):
        go(tmp_path, Fails(), Fails(), train=[])
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["models"] == [] and record["best"] is None and record["dataset"]["digest"]


def _seals(store: Path) -> dict[Path, int]:
    return {seal: seal.stat().st_mtime_ns for seal in store.glob("*/*/done.json")}
