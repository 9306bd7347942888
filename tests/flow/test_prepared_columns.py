"""Columns made in `prepare`: the same whatever the batches, learned from training rows alone, reviewed by a person."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
from prepared_sample import dataset, recipe, rows_of

import seedbed
from seedbed.core.rows import ROW

COLUMNS: list[dict[str, Any]] = [
    {"use": "merge_categories", "column": "shop", "apply": "confident"},
    {"use": "augment", "labels": ["b"]},
    {"use": "numeric_outliers", "column": ["size", "price"], "method": "isolation_forest"},
    {"use": "numeric_outliers", "column": "price", "log": True, "method": "robust_z", "action": "drop"},
    {"use": "scale", "column": ["size", "price"], "method": "robust"},
    {"use": "encode", "column": "shop", "at_least": 3},
    {"use": "encode", "column": "shop", "method": "target", "label_is": "category"},
    {"use": "tfidf", "at_most": 30},
    {"use": "select_features", "column": ["text_tfidf", "shop=north"], "best": 5},
]


def sold() -> list[dict[str, Any]]:
    """The rows, with a size, a price and a shop that is written in several ways."""
    shops = [
        "north",
        "north",
        "south",
        "south",
        "North ",
        "SOUTH",
        "east side",
        "east side",
        "east-side",
        "west",
        "nort",
    ]
    return [
        {
            **row,
            "shop": shops[row["n"] % 10 if row["n"] != 5 else 10],
            "size": float(row["n"] % 23),
            "price": float(2 ** (row["n"] % 9)) if row["n"] % 60 else 1e9,
        }
        for row in rows_of()
    ]


def states(folder: Path) -> dict[str, Any]:
    return {file.name: json.loads(file.read_bytes()) for file in sorted((folder / "prepare").glob("*.json"))}


def test_the_same_columns_whatever_the_batches(tmp_path: Path) -> None:
    found = []
    for place, (workers, batch) in enumerate([(1, 50_000), (2, 50)]):
        path = recipe(tmp_path / str(place), COLUMNS, sold(), files=5, train=[])
        done = seedbed.run(path, workers=workers, batch=batch)
        found.append((done.run.dataset.digest, states(done.folder)))
    assert found[0] == found[1]
    train = dataset(done)["train"]
    assert train.schema["text_tfidf"].shape[0] < 30  # type: ignore[attr-defined]
    assert train["price"].is_not_null().all()
    assert sorted(done.run.rows.rejected) == ["numeric_outliers.2"]
    assert set(dataset(done)["test"]["shop"]) <= {"north", "south", "east side", "west", "nort"}


def test_test_rows_teach_nothing(tmp_path: Path) -> None:
    rows = sold()
    first = seedbed.run(recipe(tmp_path / "first", COLUMNS, rows, train=[]))
    held = {name: set(table["n"]) for name, table in dataset(first).items() if name != "train"}
    for row in rows:
        if any(row["n"] in numbers for numbers in held.values()):
            row.update(shop="unheard of", size=1e6, price=-3.0)
    second = seedbed.run(recipe(tmp_path / "second", COLUMNS, rows, train=[]))
    assert {name: set(table["n"]) for name, table in dataset(second).items() if name != "train"} == held
    assert states(second.folder) == states(first.folder)
    assert dataset(second)["train"].equals(dataset(first)["train"])
    # And a test row with a category that no training row had is one of the others.
    assert dataset(second)["test"]["shop~other"].to_list() == [1] * len(held["test"])


def test_merges_are_proposed_reviewed_and_applied(tmp_path: Path) -> None:
    rows = sold()
    path = recipe(tmp_path, [{"use": "merge_categories", "column": "shop", "times": 2}], rows, train=[])
    first = seedbed.run(path)
    proposals = first.folder / "prepare/merge_categories/merges.csv"
    with proposals.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["old"]: row["new"] for row in table}["North "] == "north"
    assert not any(row["accept"] for row in table)
    (tmp_path / "shops.csv").write_text(proposals.read_text().replace(",0,\n", ",0,yes\n"))
    again = recipe(
        tmp_path, [{"use": "merge_categories", "column": "shop", "times": 2, "file": "shops.csv"}], rows, train=[]
    )
    second = seedbed.run(again)
    merged = {row["old"] for row in table if row["distance"] == "0"}
    assert merged == {"North ", "SOUTH", "east-side"}
    for before, after in zip(dataset(first).values(), dataset(second).values(), strict=True):
        both = before.join(after, on=ROW)
        assert not set(both["shop_right"]) & merged
        rest = both.filter(~pl.col("shop").is_in(merged))
        assert (rest["shop"] == rest["shop_right"]).all()
    [step] = [step for step in second.run.steps if step.part == "merge_categories"]
    assert step.told[0].startswith(f"shop: {len(merged)} categories merged")
