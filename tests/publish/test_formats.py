"""Runs in every format: which splits and columns, what may be replaced, and what other programs make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from publish_sample import finished, splits_of
from rows_of_all_kinds import KINDS, rows_of

from seedbed.core.context import Context, current
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import Exporter
from seedbed.flow.exporting.files import open_file
from seedbed.publish import Croissant, Csv, Duckdb, Hub, Jsonl, Numpy, Parquet, Torch, Webdataset
from seedbed.publish.files.splits import Splits

FORMATS = [use for use, part in Exporter.catalogue.items() if issubclass(part, Splits) and not use.startswith("tf")]
SPLITS = splits_of(["a", "b"])


def _exporter(use: str, **options: Any) -> Splits:
    found = Exporter.catalogue[use].model_validate({"use": use, "path": "out", **options})
    assert isinstance(found, Splits)
    return found


@pytest.mark.parametrize("use", FORMATS)
def test_every_split_is_written_and_read_back(use: str, run: Path, context: Context) -> None:
    _exporter(use).export(run, context)
    out = context.base / "out"
    if use == "duckdb":
        found = pl.concat(list(Duckdb.read(out / "dataset.duckdb").batches()))
        assert found.equals(pl.concat(SPLITS.values()), null_equal=True)
        return
    for name, rows in SPLITS.items():
        part = _exporter(use)
        found = pl.concat(list(part.read(out / f"{name}{part.ending}").batches()))
        assert found.equals(rows, null_equal=True)


@pytest.mark.parametrize("use", FORMATS)
def test_an_export_replaces_an_export_and_nothing_else(use: str, run: Path, context: Context) -> None:
    exporter = _exporter(use)
    exporter.export(run, context)
    _exporter("jsonl").export(run, context)  # of another format, too
    exporter.export(run, context)
    place = next(one for one in (context.base / "out").rglob("*") if one.is_file()).parent / "mine.txt"
    place.write_text("mine")
    with pytest.raises(RecipeError, match="not replaced"):
        exporter.export(run, context)
    assert place.read_text() == "mine"
    assert sorted(one.name for one in context.base.iterdir()) == ["out", "runs"]


def test_splits_columns_and_ids_are_chosen(run: Path, context: Context) -> None:
    _exporter("jsonl", splits=["test"], columns=["sentiment", "text"], row_ids=False).export(run, context)
    assert sorted(one.name for one in (context.base / "out").iterdir()) == ["schema.json", "test.jsonl"]
    lines = (context.base / "out" / "test.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == SPLITS["test"].select("sentiment", "text").to_dicts()
    assert list(json.loads(lines[0])) == ["sentiment", "text"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"splits": ["tset"]}, "did you mean 'test'"),
        ({"columns": ["txt"]}, "did you mean 'text'"),
        ({"columns": ["row"], "row_ids": False}, "no column is left"),
    ],
)
def test_what_is_not_there_is_refused(options: dict[str, Any], said: str, run: Path, context: Context) -> None:
    with pytest.raises(RecipeError, match=said):
        _exporter("jsonl", **options).export(run, context)
    assert not (context.base / "out").exists()


@pytest.mark.parametrize(("path", "said"), [(".", "no export wrote"), ("runs/tweets/1", "no export wrote"),
                                            ("runs/tweets/1/dataset/x", "inside the run")])  # fmt: skip
def test_a_run_is_never_written_over(path: str, said: str, run: Path, context: Context) -> None:
    with pytest.raises(RecipeError, match=said):
        _exporter("jsonl", path=path).export(run, context)


def test_half_a_run_is_not_exported(run: Path, context: Context) -> None:
    (run / "dataset").rename(run / "gone")
    for exporter in (_exporter("csv"), Croissant(path="out"), Hub(path="out")):
        with pytest.raises(DataError, match="no dataset"):
            exporter.export(run, context)
    assert not (context.base / "out").exists()


# What a spreadsheet would reckon


def test_no_cell_begins_like_a_formula(tmp_path: Path) -> None:
    import csv

    context = Context(base=tmp_path, store=tmp_path / "s")
    texts = ["=1+1", "@SUM(A1)", "+a", "-x", "\t=1", "\r=1", "＝1", "'=1", "-5", "+1.5e3", "plain", "it's", ""]
    table = pl.DataFrame({"=head": texts})
    Csv(path="x").write_alone(rows_of(table), tmp_path / "a.csv", context)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = [row[0] for row in csv.reader(file)]
    assert cells == ["'=head", "'=1+1", "'@SUM(A1)", "'+a", "'-x", "'\t=1", "'\r=1", "'＝1", "''=1", *texts[8:]]
    Csv(path="x", escape_formulas=False).write_alone(rows_of(table), tmp_path / "b.csv", context)
    with (tmp_path / "b.csv").open(newline="", encoding="utf-8") as file:
        assert [row[0] for row in csv.reader(file)] == ["=head", *texts]
    for name in ("a.csv", "b.csv"):
        assert pl.concat(list(Csv.read(tmp_path / name).batches())).equals(table)


# Others


def test_pandas_polars_and_duckdb_read_csv_and_parquet(run: Path, context: Context) -> None:
    import duckdb
    import pandas as pd

    Csv(path="out/csv").export(run, context)
    Parquet(path="out/parquet").export(run, context)
    table = SPLITS["train"]
    csv, parquet = str(context.base / "out/csv/train.csv"), str(context.base / "out/parquet/train.parquet")
    frame = pd.read_csv(csv)
    assert frame["likes"].tolist() == table["likes"].to_list()
    assert frame["text"].isna().tolist() == table["text"].is_null().to_list()
    assert frame["spam"].tolist() == table["spam"].to_list()
    assert pl.read_csv(csv)["text"].equals(table["text"])
    assert duckdb.sql(f"SELECT sum(likes), sum(score), count(text) FROM '{csv}'").fetchall()[0] == (
        table["likes"].sum(), table["score"].sum(), table["text"].count(),
    )  # fmt: skip
    assert pl.read_parquet(parquet).equals(table)
    assert pd.read_parquet(parquet)["score"].tolist() == table["score"].to_list()
    assert duckdb.sql(f"SELECT count(*), max(seen) FROM '{parquet}'").fetchall()[0] == (40, table["seen"].max())


def test_frictionless_finds_every_csv_valid(run: Path, context: Context, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    Csv(path="out").export(run, context)
    report = frictionless.Package(str(context.base / "out" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldNumber", "type", "note"])
    assert [task.stats["rows"] for task in report.tasks] == [40, 6, 7]
    Csv(path="x").write_alone(
        rows_of(KINDS.drop('a,b"c\n*')), tmp_path / "all.csv", Context(base=tmp_path, store=tmp_path)
    )
    found = frictionless.Package(str(tmp_path / "all.csv.datapackage.json"))
    assert found.validate().valid, found.validate().flatten(["rowNumber", "fieldName", "type", "note"])
    (tmp_path / "all.csv").write_text((tmp_path / "all.csv").read_text("utf-8").replace("true", "perhaps"), "utf-8")
    assert not found.validate().valid


@pytest.mark.parametrize(("use", "loader"), [("jsonl", "json"), ("csv", "csv"), ("parquet", "parquet"), ("hub", "")])
def test_load_dataset_gives_the_rows(use: str, loader: str, run: Path, context: Context, tmp_path: Path) -> None:
    import datasets

    out = context.base / "out"
    Exporter.catalogue[use].model_validate({"use": use, "path": "out"}).export(run, context)  # type: ignore[attr-defined]
    datasets.disable_progress_bars()
    cache = str(tmp_path / "cache")
    given = {name: str(out / f"{name}.{use}") for name in SPLITS}
    loaded = datasets.load_dataset(loader, data_files=given, cache_dir=cache) if loader else datasets.load_dataset(
        str(out), cache_dir=cache
    )  # fmt: skip
    assert {name: rows.num_rows for name, rows in loaded.items()} == {name: one.height for name, one in SPLITS.items()}
    assert list(loaded["test"]["text"]) == SPLITS["test"]["text"].to_list()
    assert list(loaded["train"]["likes"]) == SPLITS["train"]["likes"].to_list()


def test_duckdb_answers_sql(run: Path, context: Context) -> None:
    import duckdb

    Duckdb(path="out").export(run, context)
    with duckdb.connect(str(context.base / "out" / "dataset.duckdb"), read_only=True) as database:
        asked = "SELECT sentiment, count(*), sum(likes) FROM test GROUP BY 1 ORDER BY 1"
        found = SPLITS["test"].group_by("sentiment").agg(pl.len(), pl.col("likes").sum()).sort("sentiment")
        assert database.execute(asked).fetchall() == found.rows()


def test_numpy_opens_arrays_without_pickles(run: Path, context: Context) -> None:
    Numpy(path="out").export(run, context)
    folder = context.base / "out" / "train"
    likes = np.load(folder / "likes.npy", mmap_mode="r", allow_pickle=False)
    assert likes.dtype == np.int64 and likes.tolist() == SPLITS["train"]["likes"].to_list()
    utf8, ends = np.load(folder / "text.utf8.npy"), np.load(folder / "text.ends.npy")
    missing = np.load(folder / "text.missing.npy")
    texts = [utf8[a:b].tobytes().decode() for a, b in zip([0, *ends], ends, strict=False)]
    told = [None if gone else text for text, gone in zip(texts, missing, strict=True)]
    assert told == SPLITS["train"]["text"].to_list()


def test_python_loads_the_pickle_and_it_names_nothing(run: Path, context: Context) -> None:
    import pickle
    import pickletools

    _exporter("pickle").export(run, context)
    data = (context.base / "out" / "train.pkl").read_bytes()
    assert {code.name for code, _, _ in pickletools.genops(data)}.isdisjoint({"GLOBAL", "STACK_GLOBAL", "REDUCE"})
    assert [one["text"] for one in pickle.loads(data)] == SPLITS["train"]["text"].to_list()


@pytest.mark.slow  # it imports torch
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves the shards open
def test_webdataset_streams_the_shards(run: Path, context: Context) -> None:
    webdataset = pytest.importorskip("webdataset")
    Webdataset(path="out", shard_rows=16).export(run, context)
    shards = sorted(str(one) for one in (context.base / "out" / "train").glob("*.tar"))
    assert len(shards) == 3
    found = [one["json"] for one in webdataset.WebDataset(shards, shardshuffle=False).decode()]
    assert [one["text"] for one in found] == SPLITS["train"]["text"].to_list()
    before = [Path(one).read_bytes() for one in shards]
    Webdataset(path="out", shard_rows=16).export(run, context)
    assert [Path(one).read_bytes() for one in shards] == before


def test_mlcroissant_validates_and_loads(run: Path, context: Context) -> None:
    import subprocess
    import sys

    Croissant(path="out").export(run, context)
    own = str(Path(sys.executable).with_name("mlcroissant"))
    at = {"cwd": context.base / "out", "check": True, "capture_output": True, "text": True}
    subprocess.run([own, "validate", "--jsonld", "croissant.json"], **at)
    load = [own, "load", "--jsonld", "croissant.json", "--record_set", "test", "--num_records", "-1"]
    assert subprocess.run(load, **at).stdout.count("'test/row'") == 7


def test_the_card_in_the_hubs_layout_is_one(run: Path, context: Context) -> None:
    from huggingface_hub import DatasetCard

    Hub(path="out").export(run, context)
    card = DatasetCard.load(context.base / "out" / "README.md")
    assert card.data.license == "cc-by-4.0"
    assert card.data.to_dict()["task_categories"] == ["text-classification"]


def test_jsonl_alone_says_its_schema_only_where_json_cannot(tmp_path: Path) -> None:
    context = Context(base=tmp_path, store=tmp_path / "s")
    table = pl.DataFrame({"text": ["a"], "n": [1]})
    Jsonl(path="x").write_alone(rows_of(table), tmp_path / "a.jsonl", context)
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]
    Jsonl(path="x").write_alone(rows_of(table.with_columns(f=1.5)), tmp_path / "a.jsonl", context)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.jsonl", "a.jsonl.schema.json"]
    Jsonl(path="x").write_alone(rows_of(table), tmp_path / "a.jsonl", context)
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"a": ["x", "y"], "n": [None, None]}, schema_overrides={"n": pl.Int64}),
        pl.DataFrame({"a": ["x", "y"], "b": [None, None]}, schema_overrides={"b": pl.Boolean}),
        pl.DataFrame({"a": ["x", "y"], "nothing": [None, None]}),
        pl.DataFrame(schema={"a": pl.String, "b": pl.String}),
    ],
    ids=["numbers", "yes or no", "nothing known", "no row"],
)
def test_jsonl_alone_keeps_columns_without_a_value(table: pl.DataFrame, tmp_path: Path) -> None:
    context = Context(base=tmp_path, store=tmp_path / "s")
    Jsonl(path="x").write_alone(rows_of(table), tmp_path / "a.jsonl", context)
    with current(context):
        again = open_file("a.jsonl", tmp_path / "bad", context, trust=False).rows
    assert again.schema == table.schema
    assert pl.concat([table.clear(), *again.batches()]).equals(table)


def test_torch_names_files_of_so_many_rows(run: Path, context: Context) -> None:
    Torch(path="out", file_rows=16, group_rows=8).export(run, context)
    assert [pl.read_parquet(one).height for one in sorted((context.base / "out/train").glob("*"))] == [16, 16, 8]


def test_a_recipe_publishes_in_formats(tmp_path: Path) -> None:
    from seedbed.flow.finished import open_run
    from seedbed.flow.papers.place import publish_run
    from seedbed.recipe.recipe import Recipe

    run = finished(tmp_path / "runs" / "tweets" / "1")
    recipe = Recipe.model_validate(
        {
            "seedbed": 1,
            "name": "tweets",
            "task": {"kind": "text_classification", "text": "text", "label": "sentiment"},
            "sources": [{"use": "csv", "path": "tweets.csv"}],
            "publish": [{"use": "parquet", "path": "a", "splits": ["test"]}, {"use": "jsonl", "path": "b/c"}],
        }
    )
    context = Context(base=tmp_path, store=tmp_path / ".seedbed")
    record = publish_run(run, recipe.publish, open_run(run).run, context)
    assert record.published == ("a", "b/c")
    assert pl.read_parquet(tmp_path / "a" / "test.parquet").equals(SPLITS["test"])
    assert len((tmp_path / "b" / "c" / "train.jsonl").read_text("utf-8").splitlines()) == 40
