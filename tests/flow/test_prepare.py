"""`prepare`: what is learned sees training rows only, what is made is accounted for, and nothing held out changes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from prepared_sample import BALANCED, dataset, ledger, recipe, rows_of, with_parts
from pydantic import Field

import seedbed
from seedbed.core.errors import BooksError, DataError, RecipeError
from seedbed.core.rows import PARENTS, ROW, WEIGHT
from seedbed.core.step import Fitted, Make, Step


@pytest.fixture
def own_parts() -> Iterator[None]:
    """Parts that a test defines are forgotten afterwards."""
    known = dict(Step.catalogue)
    yield
    Step.catalogue.clear()
    Step.catalogue.update(known)


def test_the_books_balance_and_each_made_row_has_its_parents(tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, BALANCED))
    run, tables, told = done.run, dataset(done), ledger(done)
    books = run.rows
    assert books.balanced
    made = told.filter(action="made")
    assert books.made == made.height > 0
    assert books.rejected["undersample"]["too_many_of_label"] == told.filter(part="undersample").height > 0
    assert sum(run.dataset.splits.values()) == books.kept == sum(table.height for table in tables.values())
    assert [step.part for step in run.steps][-3:] == ["undersample", "oversample", "class_weights"]
    # Two labels, as many rows of each, made rows last and numbered from 1.
    train = tables["train"]
    assert train["label"].value_counts().sort("label")["count"].to_list() == [90, 90]
    names = [row for row in train[ROW] if row.startswith("oversample:")]
    assert names == [f"oversample:made#{n}" for n in range(1, len(names) + 1)]
    assert train[ROW].to_list()[-len(names) :] == names
    # A copy says what its parent says, which is a training row.
    texts = dict(train.select(ROW, "text").iter_rows())
    for row, evidence in made.select(ROW, "evidence").iter_rows():
        [parent] = json.loads(evidence)["parents"]
        assert texts[row] == texts[parent]


def test_held_out_rows_are_those_of_a_run_without_prepare(tmp_path: Path) -> None:
    plain = dataset(seedbed.run(recipe(tmp_path / "plain")))
    prepared = dataset(seedbed.run(recipe(tmp_path / "prepared", BALANCED)))
    for split in ("validation", "test"):
        assert prepared[split].drop(WEIGHT).equals(plain[split])
        assert (prepared[split][WEIGHT] == 1.0).all()
    assert set(plain["train"][ROW]) >= {row for row in prepared["train"][ROW] if not row.startswith("oversample")}


def test_the_digest_does_not_depend_on_workers_or_batches(tmp_path: Path) -> None:
    digests = set()
    for place, (workers, batch) in enumerate([(1, 50_000), (1, 7), (2, 50)]):
        path = recipe(tmp_path / str(place), BALANCED, files=5, train=[])
        digests.add(seedbed.run(path, workers=workers, batch=batch).run.dataset.digest)
    assert len(digests) == 1
    other = recipe(tmp_path / "other", BALANCED, files=5, train=[], split={"use": "stratified", "seed": 14})
    assert seedbed.run(other).run.dataset.digest not in digests


def test_what_is_learned_sees_training_rows_only(tmp_path: Path, own_parts: None) -> None:
    seen: list[list[str]] = []

    class Watching(Fitted):
        use: Literal["watching"] = "watching"

        def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
            seen.append(train.select(ROW).collect()[ROW].to_list())
            return {"mean": train.select("n").collect()["n"].mean()}

        def columns(self, state: dict[str, Any]) -> list[pl.Expr]:
            return [(pl.col("n") - state["mean"]).alias("centred")]

        def told(self, state: dict[str, Any]) -> list[str]:
            return ["The mean of n is known."]

        def papers(self, state: dict[str, Any]) -> dict[str, str]:
            return {"mean.txt": str(state["mean"])}

    done = with_parts(recipe(tmp_path), Watching())
    tables = dataset(done)
    assert seen == [tables["train"][ROW].to_list()]
    mean = tables["train"]["n"].mean()
    assert isinstance(mean, float)
    for table in tables.values():
        assert (table["centred"] - (table["n"] - mean)).abs().max() < 1e-9  # type: ignore[operator]
    assert done.run.steps[-1].told == ("The mean of n is known.",)
    assert (done.folder / "prepare/watching/mean.txt").read_text() == str(mean)
    # Other held-out values, the same state.
    again = with_parts(recipe(tmp_path / "again", rows=_others(tables)), Watching())
    assert json.loads((again.folder / "prepare/watching.json").read_text())["state"] == {"mean": mean}


def _others(tables: dict[str, pl.DataFrame]) -> list[dict[str, Any]]:
    held = {row for split in ("validation", "test") for row in tables[split]["n"]}
    return [{**row, "n": row["n"] * 1000} if row["n"] in held else row for row in rows_of()]


def test_a_made_row_that_says_what_a_held_out_row_says_is_rejected(tmp_path: Path, own_parts: None) -> None:
    held = dataset(seedbed.run(recipe(tmp_path / "first")))["test"]
    stolen = held["text"][0]

    class Writing(Make):
        use: Literal["writing"] = "writing"

        def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
            some = train.head(3).collect()
            texts = ["something that nobody says anywhere", stolen + "!", some["text"][2]]
            yield some.with_columns(pl.Series("text", texts), pl.concat_list(ROW).alias(PARENTS))

    done = with_parts(recipe(tmp_path), Writing())
    [gone] = ledger(done).filter(part="writing", action="rejected").to_dicts()
    assert (gone[ROW], gone["reason"]) == ("writing:made#2", "near_held_out")
    assert json.loads(gone["evidence"])["of"] == held[ROW][0]
    assert [row for row in dataset(done)["train"][ROW] if row.startswith("w")] == ["writing:made#1", "writing:made#3"]
    assert (done.run.rows.made, done.run.rows.rejected["writing"]) == (3, {"near_held_out": 1})
    assert done.run.certificate is not None
    assert done.run.certificate.made is not None
    assert {name: done.run.certificate.made[name] for name in ("rows", "rejected", "pairs_found")} == {
        "rows": 2,
        "rejected": 1,
        "pairs_found": 0,
    }
    assert done.run.certificate.passed


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (lambda some: some.drop("label"), "lack the column 'label'"),
        (lambda some: some.with_columns(pl.lit(None, pl.List(pl.String)).alias(PARENTS)), "no parent"),
        (lambda some: some.with_columns(pl.lit(["r:elsewhere#1"]).alias(PARENTS)), "no parent"),
    ],
)
def test_made_rows_that_are_none_are_a_fault_of_the_part(
    tmp_path: Path, own_parts: None, frame: Any, said: str
) -> None:
    class Careless(Make):
        use: Literal["careless"] = "careless"

        def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
            yield frame(train.head(2).with_columns(pl.concat_list(ROW).alias(PARENTS)).collect())

    with pytest.raises(BooksError, match=said) as caught:
        with_parts(recipe(tmp_path), Careless())
    assert caught.value.at == "careless"


class Faulty(Fitted):
    """Does one thing wrong."""

    use: str = ""
    state: Any = Field(default_factory=dict)
    lost: bool = False
    uneven: bool = False
    takes: str | None = None

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        found: dict[str, Any] = self.state
        return found

    def keep(self, state: dict[str, Any]) -> pl.Expr | None:
        return pl.lit(False) if self.lost else None

    def train_columns(self, state: dict[str, Any]) -> list[pl.Expr]:
        return [pl.lit("x").alias("other")] if self.uneven else []

    def drops(self, state: dict[str, Any]) -> list[str]:
        return [self.takes] if self.takes else []


@pytest.mark.parametrize(
    ("part", "kind", "said"),
    [
        (Faulty(use="faulty", state={"x": float("nan")}), BooksError, "not plain data"),
        (Faulty(use="faulty", state={"x": {1}}), BooksError, "not plain data"),
        (Faulty(use="faulty", lost=True), DataError, "leaves none of"),
        (Faulty(use="faulty", uneven=True), BooksError, "other columns for training rows"),
        (Faulty(use="faulty", takes="text"), BooksError, "a column that the task reads"),
    ],
)
def test_what_a_part_does_wrong_is_told(tmp_path: Path, part: Step, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        with_parts(recipe(tmp_path), part)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        ([{"use": "class_weights", "column": "lable"}], "names the column 'lable'"),
        ([{"use": "class_weights"}, {"use": "class_weights", "weights": "effective"}], "would bring the column"),
        ([{"use": "text_length", "column": "text", "at_least": 1}], "belongs before the split"),
    ],
)
def test_what_cannot_be_prepared_is_told(tmp_path: Path, prepare: list[Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        seedbed.run(recipe(tmp_path, prepare))


def test_a_source_has_not_the_name_of_what_makes_rows(tmp_path: Path) -> None:
    sources = [{"use": "jsonl", "path": "rows", "name": "oversample"}]
    with pytest.raises(RecipeError, match="what made rows are named after"):
        seedbed.run(recipe(tmp_path, [{"use": "oversample"}], sources=sources))


def test_a_learner_that_counts_all_rows_alike_is_named(tmp_path: Path) -> None:
    run = seedbed.run(recipe(tmp_path, [{"use": "class_weights"}])).run
    assert [notice for notice in run.notices if "took no notice" in notice] == [
        "majority took no notice of what class_weights wrote: all rows counted alike"
    ]


def test_a_label_that_no_row_has_is_told(tmp_path: Path) -> None:
    for part in ({"use": "oversample", "to": {"c": 5}}, {"use": "class_weights", "weights": {"c": 2}}):
        with pytest.raises(DataError, match="no training row has the label 'c'"):
            seedbed.run(recipe(tmp_path, [part]))


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    path = recipe(tmp_path, BALANCED, rows_of(1_500), files=6, train=[])
    command = [sys.executable, "-m", "seedbed", "run", str(path), "--workers", "2", "--out"]

    def started(store: str, out: str) -> subprocess.Popen[bytes]:
        told = {**os.environ, "SEEDBED_STORE": str(tmp_path / store)}
        return subprocess.Popen(
            [*command, out], cwd=tmp_path, env=told, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    whole = started("store", "whole")
    assert whole.wait() == 0
    killed = 0
    for kind in ("fitted", "made"):
        running = started("again", "out")
        until = time.monotonic() + 120
        while running.poll() is None and time.monotonic() < until and not any((tmp_path / "again").glob(f"{kind}/*")):
            time.sleep(0.02)
        killed += running.poll() is None
        running.kill()
        running.wait()
        assert not (tmp_path / "out").exists()
    assert killed
    assert started("again", "out").wait() == 0
    digests = [json.loads((tmp_path / out / "run.json").read_text())["dataset"]["digest"] for out in ("whole", "out")]
    assert digests[0] == digests[1]


def test_a_column_of_the_name_that_parents_have_is_told(tmp_path: Path) -> None:
    rows = [{**row, "parents": "Ann and Bob"} for row in rows_of()]
    with pytest.raises(RecipeError, match="column 'parents'"):
        seedbed.run(recipe(tmp_path, [{"use": "oversample"}], rows))


def test_rows_are_made_for_tables_too(tmp_path: Path, own_parts: None) -> None:
    # Rows of a table have no text: those that are made are held against held-out rows by all that a model may read.
    chance = random.Random(4)
    rows = [
        {"width": chance.choice([1.0, None, 3.5]), "shape": chance.choice("xyz"), "n": n, "label": "abbb"[n % 4]}
        for n in range(240)
    ]
    told = {
        "task": {"kind": "tabular_classification", "label": "label", "features": ["width", "n", "shape"]},
        "train": [{"use": "majority"}, {"use": "decision_tree"}],
        "evaluate": {"intervals": {"resamples": 100}},  # its claims prepare again, in memory
    }
    prepare = [{"use": "scale", "column": "n"}, {"use": "encode", "column": "shape"}, {"use": "oversample"}]
    done = seedbed.run(recipe(tmp_path, prepare, rows, **told))
    tables = dataset(done)
    assert set(tables["train"]["label"].value_counts()["count"]) == {tables["train"].filter(label="b").height}
    assert done.run.rows.made and done.run.rows.balanced and not done.run.rows.rejected
    assert done.run.certificate is not None and done.run.certificate.passed

    class Stealing(Make):
        use: Literal["stealing"] = "stealing"

        def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
            stolen = plain["test"].select("width", "shape", "n").head(1)
            some = train.head(2).collect()
            made = pl.concat([some.select(stolen.columns).head(1).with_columns(n=pl.lit(-1, pl.Int64)), stolen])
            yield some.with_columns(*made, pl.concat_list(ROW).alias(PARENTS))

    plain = dataset(seedbed.run(recipe(tmp_path / "plain", rows=rows, **told)))
    done = with_parts(recipe(tmp_path / "plain", rows=rows, **told), Stealing())
    assert done.run.rows.rejected == {"stealing": {"near_held_out": 1}}
    [gone] = ledger(done).filter(action="rejected").to_dicts()
    assert gone[ROW] == "stealing:made#2" and json.loads(gone["evidence"])["of"] == plain["test"][ROW][0]
