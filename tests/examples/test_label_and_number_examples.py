"""`examples/` of sets of labels, numbers and tables, each run on real data."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from seedbed.core.run import Run
from seedbed.flow.running import run
from seedbed.recipe.loading import load

EXAMPLES = Path(__file__).parents[2] / "examples"


def ran(name: str, at: Path, *settings: str) -> tuple[Run, pl.DataFrame]:
    """The record of an example that was run in a folder of its own, and its rows with their split."""
    folder = at / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".seedbed", "runs", "out"))
    loaded = load(folder / "recipe.yaml", list(settings))
    done = run(loaded, out=at / "run", workers=1)
    record = done.run
    assert record.state == "passed", record.stopped_by
    assert record.rows.balanced
    assert record.certificate is not None and record.certificate.passed
    assert record.blanks == ()
    rows = pl.concat(
        pl.read_parquet(at / f"run/dataset/data/{split}-*.parquet").with_columns(split=pl.lit(split))
        for split in record.dataset.splits
    )
    assert record.rows.kept == rows.height
    assert rows.select(refused=loaded.recipe.task.refusal())["refused"].null_count() == rows.height
    page = (at / "run/report.html").read_text("utf-8")
    assert "No model was trained" not in page, "there is no learner of such tasks"
    assert (at / "run/review/suspects.parquet").exists()
    return record, rows


def finding(record: Run, check: str) -> str:
    (one,) = [one for one in record.findings if one.check == check]
    return one.message


def test_films_have_several_genres(tmp_path: Path) -> None:
    record, rows = ran("films", tmp_path, "sources.0.limit=1500", "checks.0.at_least=1000")
    assert rows["genres"].dtype == pl.List(pl.String)
    assert set(rows["genres"].list.len()) >= {1, 2, 3}
    held = rows.filter(pl.col("genres").list.contains("Drama"))
    assert record.dataset.labels["train"]["Drama"] == held.filter(split="train").height
    shares = held["split"].value_counts(normalize=True, name="share")
    assert dict(shares.iter_rows())["train"] == pytest.approx(0.8, abs=0.03)
    assert "labels that rows carry seem wrong" in finding(record, "label_errors")


def test_moods_are_numbers_that_people_agreed_on(tmp_path: Path) -> None:
    record, rows = ran("moods", tmp_path, "sources.0.limit=900", "checks.0.at_least=800")
    assert rows["sentiment"].dtype == pl.Float64
    assert "Krippendorff's alpha is 0.7" in finding(record, "annotator_agreement")
    means = rows.group_by("split").agg(pl.col("sentiment").mean())["sentiment"]
    assert float(means.max() - means.min()) < 0.3  # type: ignore[operator,arg-type]
    assert "numbers" in finding(record, "label_errors")


def test_passengers_are_a_table_with_gaps(tmp_path: Path) -> None:
    record, rows = ran("passengers", tmp_path)
    assert record.rows.read == 1_313
    assert record.rows.rejected == {"keep_values": {"value_not_kept": 1}}
    assert {"class=1st", "class=2nd", "class=3rd", "sex=female"} <= set(rows.columns)
    train = rows.filter(split="train")["age"]
    assert train.mean() == pytest.approx(0, abs=0.01)
    assert train.std() == pytest.approx(1, abs=0.01)
    columns = ["class", "age", "sex", "survived"]
    straddling = rows.group_by("class", "age", "sex").agg(pl.col("split").n_unique())["split"].max()
    assert straddling == 1, f"rows that are equal in {columns[:3]} stand in one split"


def test_cars_are_a_table_and_a_number(tmp_path: Path) -> None:
    record, rows = ran("cars", tmp_path)
    assert rows.height == 392
    assert rows["mpg"].dtype == pl.Float64
    assert rows.group_by("name").agg(pl.col("split").n_unique())["split"].max() == 1
    assert rows.filter(split="train")["weight"].mean() == pytest.approx(0, abs=0.01)
    assert "no_features" not in str(record.rows.rejected)
