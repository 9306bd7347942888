"""`drift` compares rows with those of a run as they were before `prepare`: like with like."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prepared_sample import recipe, rows_of

import seedbed
from seedbed.checks import Drift
from seedbed.checks.drifting import sample
from seedbed.core.check import Finding, View
from seedbed.core.errors import DataError
from seedbed.core.part import BASE
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification
from seedbed.flow.finished import Finished
from seedbed.flow.holding import hold
from seedbed.recipe.loading import load

PREPARE = [{"use": "oversample"}, {"use": "undersample", "to": {"a": 90}}, {"use": "scale", "column": "n"}]
TASK = TextClassification(kind="text_classification", text="text", label="label")


def drift(run: str, **more: Any) -> dict[str, Any]:
    return {"use": "drift", "against": {"run": run, **more}, "columns": ["text", "label", "n"]}


def found(done: Finished) -> Finding:
    [one] = [finding for finding in done.run.findings if finding.check == "drift"]
    return one


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("prepared")
    return seedbed.run(recipe(folder, PREPARE, train=[]), out=folder / "out", workers=1)


def test_the_same_rows_do_not_drift_in_a_recipe(prepared: Finished, tmp_path: Path) -> None:
    again = seedbed.run(recipe(tmp_path, PREPARE, train=[], checks=[drift(str(prepared.folder))]), workers=1)
    assert (found(again).passed, found(again).value) == (True, 0.0), found(again).message
    assert "240 rows with 240 of the reference" in found(again).message


def test_a_file_is_held_against_rows_as_they_were_read(prepared: Finished, tmp_path: Path) -> None:
    path = recipe(tmp_path, PREPARE, train=[], checks=[drift(str(prepared.folder))])
    same = hold(str(tmp_path / "rows/0.jsonl"), load(path), workers=1)
    assert [finding.value for finding in same.findings] == [0.0], same.findings[0].message
    (tmp_path / "other.jsonl").write_text("\n".join(json.dumps({**row, "n": row["n"] + 200}) for row in rows_of()))
    other = hold(str(tmp_path / "other.jsonl"), load(path), workers=1)
    assert not other.findings[0].passed and other.findings[0].rows
    assert "n differs" in other.findings[0].message


def test_what_is_kept_are_the_rows_that_were_read_by_split(prepared: Finished) -> None:
    kept = {
        split: pl.read_parquet(sorted((prepared.folder / "unprepared").glob(f"{split}-*.parquet")))
        for split in prepared.run.dataset.splits
    }
    everything = pl.concat(kept.values())
    assert sorted(everything["n"]) == list(range(240)) and everything.columns == [ROW, "text", "label", "n"]
    test = pl.read_parquet(prepared.folder / "dataset/data/test-*.parquet")
    assert kept["test"][ROW].to_list() == test[ROW].to_list()


def test_of_very_many_rows_a_sample_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MOST", 50)
    done = seedbed.run(recipe(tmp_path, PREPARE, files=5, train=[]), workers=1)
    kept = pl.read_parquet(done.folder / "unprepared/*.parquet")
    assert kept.height == 50 == kept[ROW].n_unique()
    assert kept["n"].max() > 150  # type: ignore[operator]


def test_a_run_without_prepare_keeps_nothing_twice(tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, train=[], checks=[]), workers=1)
    assert not (done.folder / "unprepared").exists()
    again = seedbed.run(
        recipe(tmp_path / "again", train=[], checks=[drift(str(done.folder), split="train")]), workers=1
    )
    assert found(again).passed


def test_what_does_not_tell_how_rows_were_is_refused(prepared: Finished, tmp_path: Path) -> None:
    def held(folder: str) -> Finding:
        check = Drift.model_validate(drift(folder), context={BASE: tmp_path})
        rows = pl.DataFrame(rows_of()).with_columns(pl.format("r:t#{}", "n").alias(ROW))
        return check.find(View(rows=rows.lazy(), task=TASK))

    shutil.copytree(prepared.folder, tmp_path / "run")
    assert held("run/dataset").passed  # the run's own, which stands beside it
    shutil.rmtree(tmp_path / "run/unprepared")
    for folder in ("run", "run/dataset"):
        with pytest.raises(DataError, match="went through `prepare`") as caught:
            held(folder)
        assert "run its recipe again" in caught.value.hint
    (tmp_path / "run/run.json").unlink()
    assert not held("run/dataset").passed  # nobody can tell: made rows, and scaled numbers
