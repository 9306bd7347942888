"""Splits by document, and splits of rows that have several labels."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from seedbed import run
from seedbed.core.run import Run


def made_of(folder: Path, recipe: dict[str, Any]) -> Run:
    (folder / "recipe.yaml").write_text(yaml.safe_dump({"seedbed": 1, "name": "sample", **recipe}))
    return run(folder / "recipe.yaml", out=folder / "out").run


def splits(folder: Path) -> dict[str, pl.DataFrame]:
    files = sorted((folder / "out" / "dataset" / "data").glob("*.parquet"))
    return {file.name.partition("-")[0]: pl.read_parquet(file) for file in files}


def words(chance: random.Random, count: int) -> str:
    return " ".join("".join(chance.choices("abcdefghijklmnop", k=6)) for _ in range(count))


def test_parts_of_one_file_are_in_one_split(tmp_path: Path) -> None:
    chance = random.Random(3)
    (tmp_path / "books").mkdir()
    for book in range(20):
        lines = [json.dumps({"text": words(chance, 15)}) for _ in range(10)]
        if book in (4, 9):  # two books share a passage, so they are one
            lines[3] = json.dumps({"text": "the same words stand in both of these two books, by whom we do not know"})
        (tmp_path / "books" / f"{book:02}.jsonl").write_text("\n".join(lines) + "\n")
    made = made_of(
        tmp_path,
        {
            "task": {"kind": "causal_lm", "text": "text"},
            "sources": [{"use": "jsonl", "path": "books", "name": "books"}],
            "split": {"use": "random", "whole_files": True},
        },
    )
    assert made.certificate is not None and made.certificate.passed
    assert (made.certificate.clusters, made.certificate.largest_cluster) == (19, 20)
    books = [set(rows["row"].str.extract(r"(\d+)\.jsonl")) for rows in splits(tmp_path).values()]
    assert len(books) == 3 and sum(map(len, books)) == 20 == len(set.union(*books))
    assert any({"04", "09"} <= some for some in books)


def test_films_of_several_genres_are_spread_evenly(tmp_path: Path) -> None:
    chance = random.Random(5)
    genres = {"drama": 0.5, "comedy": 0.3, "war": 0.05, "western": 0.03}
    rows = []
    for _ in range(600):
        held = [name for name, share in genres.items() if chance.random() < share]
        rows.append({"plot": words(chance, 12), "genres": "|".join(held)})
    for old in range(0, 40, 4):  # sequels that say the same
        rows[old + 1] = {**rows[old], "plot": rows[old]["plot"].rpartition(" ")[0] + " again"}
    (tmp_path / "films.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = made_of(
        tmp_path,
        {
            "task": {"kind": "multi_label_classification", "text": "plot", "label": "genres", "separator": "|"},
            "sources": [{"use": "jsonl", "path": "films.jsonl", "name": "films"}],
            "split": {"use": "stratified"},
        },
    )
    assert made.certificate is not None and made.certificate.passed and made.certificate.largest_cluster == 2
    found = splits(tmp_path)
    for genre in genres:
        held = {name: int(some["genres"].list.contains(genre).sum()) for name, some in found.items()}
        total = sum(held.values())
        assert abs(held["validation"] - total / 10) <= 1.5 and abs(held["test"] - total / 10) <= 1.5, (genre, held)
    assert abs(len(found["validation"]) - 60) <= 2 and abs(len(found["test"]) - 60) <= 2
