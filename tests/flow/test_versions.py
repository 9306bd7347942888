"""Runs by id, tag and NAME@latest; datasets and models by digest; lineage; and what is left after `gc`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from test_run import recipe, texts, write

from seedbed.core.errors import DataError, RecipeError
from seedbed.flow import explain, open_run, run
from seedbed.flow.finished import Finished
from seedbed.flow.naming import find_run, store_near
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.versions.ancestry import lineage
from seedbed.flow.versions.diff import diff
from seedbed.flow.versions.fetching import dataset_digest, fetch
from seedbed.recipe.loading import parse
from seedbed.store.collecting import Rule, collect, size_of
from seedbed.store.going import journals
from seedbed.store.objects import Objects
from seedbed.store.places import owner
from seedbed.store.runs import Index


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a recipe, and a run that reads what the first made."""
    place = tmp_path_factory.mktemp("versions")
    write(place, texts(200))
    go(place)
    go(place, train=[{"use": "majority"}, {"use": "naive_bayes"}])
    first = Index(store_near(place)).entries()[-1]
    sources = [{"use": "parquet", "path": f"{first.folder}/dataset/data/train-*.parquet", "name": "made"}]
    go(place, name="second", sources=sources, steps=[])
    return place


def go(place: Path, **more: object) -> Finished:
    return run(parse(recipe(**more), place), workers=1)


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, whose folders may be removed; the folder one stands in."""
    place = tmp_path / "copy"
    shutil.copytree(made, place, symlinks=True)
    index = Index(place / ".seedbed")
    for one in index.entries():
        index.write(one.model_copy(update={"folder": one.folder.replace(str(made), str(place))}))
    monkeypatch.chdir(place)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    return place


def test_a_run_goes_by_many_names(here: Path) -> None:
    index = Index(store_near())
    second, latest, first = index.entries()
    index.tag(first.id, "v1")
    assert find_run("v1") == Path(first.folder)
    assert find_run("small@latest") == Path(latest.folder) and find_run("second@latest") == Path(second.folder)
    assert find_run(first.id) == Path(first.folder) == find_run(Path(first.folder))
    assert find_run("v1/models/majority") == Path(first.folder, "models", "majority")
    with pytest.raises(DataError, match="3 runs have an id"):
        find_run(first.id[:4])
    assert open_run("v1").run.id == first.id
    assert explain("v1", "1").run == first.id
    assert open_model("v1").name == "majority"
    assert diff("v1", "small@latest").a.id == first.id
    with pytest.raises(DataError, match="there is no such folder"):
        open_run("nobody")
    (here / "below").mkdir()
    assert store_near(here / "below") == here / ".seedbed" == store_near(here / ".seedbed")


def test_a_run_in_the_index(here: Path) -> None:
    first = Index(store_near()).entries()[-1]
    record = open_run(first.folder).run
    assert first.dataset == record.dataset.digest and first.rows == record.rows.kept and first.state == "passed"
    assert first.best and first.best.score == record.models[0].scores["test"]["macro_f1"]
    assert [one.file for one in first.inputs] == ["rows.jsonl"]
    kinds = {name.partition("/")[0] for name in first.used}
    assert {"passes", "verdicts", "splits", "models"} <= kinds
    assert not list((here / ".seedbed" / "going").glob("*.txt")), "the run is over"


def test_a_dataset_comes_back_without_its_run(here: Path) -> None:
    second, latest, first = Index(store_near()).entries()
    shutil.rmtree(first.folder)
    shutil.rmtree(latest.folder)
    done = fetch(first.dataset[:10], here / "back", store_near())
    assert done.kind == "dataset" and dataset_digest(here / "back") == first.dataset
    assert sorted(path.name for path in (here / "back" / "data").iterdir()) == sorted(
        Path(file.name).name for file in first.files if file.name.startswith("data/")
    )
    kept = next(model for model in latest.models if model.name == "naive_bayes")
    assert fetch(latest.id, here / "model", store_near(), model="naive_bayes").digest == kept.digest
    assert fetch(kept.digest, here / "again", store_near()).model == "naive_bayes"
    open_model(here / "model").check_golden()
    with pytest.raises(DataError, match="is gone"):
        open_run(first.id)
    with pytest.raises(RecipeError, match="something already"):
        fetch(first.id, here / "back", store_near())
    for wrong in ("nobody", "f" * 12):
        with pytest.raises(RecipeError, match="no such run"):
            fetch(wrong, here / "none", store_near())
    with pytest.raises(RecipeError, match="no such model"):
        fetch(second.id, here / "none", store_near(), model="forest")


def test_damage_is_told_and_nothing_is_left(here: Path) -> None:
    first = Index(store_near()).entries()[-1]
    file = next(file for file in first.files if file.name.startswith("data/test"))
    kept = Objects(store_near()).place(file.sha256)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + b"!")
    with pytest.raises(DataError, match="damaged"):
        fetch(first.id, here / "back", store_near())
    assert not (here / "back").exists() and not list(here.glob(".back*"))
    # Rows that are others although every file is what the index says: the entry itself was changed.
    pl.read_parquet(whole).with_columns(label=pl.lit("food")).write_parquet(here / "other.parquet")
    other = Objects(store_near()).keep_folder(_only(here / "other.parquet"))[0]
    files = [one if one != file else one.model_copy(update={"sha256": other.sha256}) for one in first.files]
    Index(store_near()).write(first.model_copy(update={"files": tuple(files)}))
    with pytest.raises(DataError, match="has the digest"):
        fetch(first.id, here / "back", store_near())
    assert not (here / "back").exists()


def _only(file: Path) -> Path:
    folder = file.parent / "only"
    folder.mkdir()
    file.rename(folder / file.name)
    return folder


def test_lineage_links_a_dataset_to_what_was_made_of_it(here: Path) -> None:
    second, latest, first = Index(store_near()).entries()
    found = lineage(store_near())
    runs = [node.key for node in found.nodes if node.kind == "run"]
    assert sorted(runs) == sorted(f"run {one.id}" for one in (first, latest, second))
    assert [node.title for node in found.before(f"run {first.id}")] == ["rows.jsonl"]
    assert [node.key for node in found.before(f"run {second.id}")] == [f"dataset {first.dataset}"]
    assert first.dataset == latest.dataset, "one dataset, made twice"
    assert {node.key for node in found.before(f"dataset {first.dataset}")} == {f"run {first.id}", f"run {latest.id}"}
    layers = found.layers()
    assert [layer[0].kind for layer in layers[:4]] == ["source", "run", "dataset", "run"]
    around = lineage(store_near(), second.id)
    assert {node.kind for node in around.nodes} == {"source", "run", "dataset", "model"}
    assert not any(node.title.startswith("naive_bayes") for node in around.nodes), "a side line"
    assert lineage(store_near()) == found


def test_after_gc_what_was_kept_explains_compares_and_runs_again(here: Path) -> None:
    second, latest, first = Index(store_near()).entries()
    before = size_of(store_near()).bytes
    shutil.rmtree(second.folder)
    shutil.rmtree(first.folder)
    Index(store_near()).tag(first.id, "v1")
    done = collect(store_near(), Rule())
    assert done.let_go == (second.id,) and done.freed > 0 and size_of(store_near()).bytes < before
    with pytest.raises(DataError, match="went with"):
        fetch(second.id, here / "none", store_near())
    fetch("v1", here / "v1", store_near())
    assert explain(latest.id, "1").read
    assert diff(here / "v1", latest.id, by="row").differs == ()
    units = here / ".seedbed" / "units"
    marks = {path: path.stat().st_mtime_ns for path in units.rglob("*")}
    again = go(here, train=[{"use": "majority"}, {"use": "naive_bayes"}])
    assert again.run.dataset.digest == latest.dataset
    assert {path: path.stat().st_mtime_ns for path in units.rglob("*")} == marks, "every unit was there"
    told = json.loads((here / ".seedbed" / "runs" / f"{again.run.id}.json").read_text())
    assert set(told["used"]) == set(latest.used), "and so was every other artefact"


class Stops:
    """Progress that is interrupted, as by Ctrl-C, when a stage begins."""

    def __init__(self, at: str) -> None:
        self.at = at

    def start(self, title: str, total: float | None, unit: str) -> Stops:
        if title.startswith(self.at):
            raise KeyboardInterrupt
        return self

    def advance(self, amount: float = 1, note: str = "", **more: object) -> None: ...
    def finish(self, stage: object) -> None: ...
    def say(self, text: str) -> None: ...


def test_an_interrupted_run_goes_on_after_gc(tmp_path: Path) -> None:
    write(tmp_path, texts(60))
    loaded, store = parse(recipe(), tmp_path), tmp_path / ".seedbed"
    with pytest.raises(KeyboardInterrupt):
        run(loaded, workers=1, progress=Stops("Training"))
    (journal,) = journals(store)
    assert journal.alive and any(name.startswith("passes/") for name in journal.used)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    journal.path.rename(journal.path.with_name(f"{ended.pid}@{owner().partition('@')[2]}-abcdef.txt"))
    assert collect(store, Rule(older_than=0)).removed == ()
    marks = {path: path.stat().st_mtime_ns for path in (store / "units").rglob("*.parquet")}
    assert marks and run(loaded, workers=1).run.state == "passed"
    assert {path: path.stat().st_mtime_ns for path in (store / "units").rglob("*.parquet")} == marks
    assert journals(store) == [], "it came to its end"


def test_a_run_that_fails_leaves_no_journal(tmp_path: Path) -> None:
    write(tmp_path, texts(60))
    with pytest.raises(DataError, match="no row is left"):
        go(tmp_path, steps=[{"use": "text_length", "at_least": 10_000}])
    assert journals(tmp_path / ".seedbed") == [] and Index(tmp_path / ".seedbed").entries() == []
