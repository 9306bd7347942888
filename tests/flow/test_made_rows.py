"""Rows that a model wrote train only, with what they were made from, and never judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import seedbed
from seedbed.core.errors import RecipeError
from seedbed.core.rows import NUMBER, RECORD_BITS, ROW
from seedbed.core.table import Table
from seedbed.flow.finished import Finished
from seedbed.flow.splitting.made import Made
from serving.model import ModelServer, drawn, model_server, sentence

REAL = 120


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as found:
        yield found


def recipe(
    tmp_path: Path, server: ModelServer, *, first: bool = False, split: str = "stratified", **options: Any
) -> Path:
    chance = drawn({"messages": "real"})
    lines = [json.dumps({"text": f"{sentence(chance)} {n}", "label": ["a", "b"][n % 2]}) for n in range(REAL)]
    lines += lines[:3]  # copies: of one of them a row may be made
    (tmp_path / "real.jsonl").write_text("\n".join(lines))
    made = {
        "use": "generate",
        "endpoint": server.url,
        "model": "m",
        "prompt": "Write {{ label }} like:\n{% for one in examples %}{{ one.text }}\n{% endfor %}",
        "classes": {"a": 12, "b": 6},
        "like": {"use": "jsonl", "path": "real.jsonl"},
        "pool": 4,
        "show": 2,
        **options,
    }
    sources: list[dict[str, Any]] = [{"use": "jsonl", "path": "real.jsonl", "name": "real"}]
    told = {
        "seedbed": 1,
        "name": "made",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [made, *sources] if first else [*sources, made],
        "steps": [{"use": "exact_duplicates", "columns": ["text"]}],
        "split": {"use": split},
        "train": [{"use": "majority"}],
        "evaluate": {"leakage": False, "folds": 3},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(told))
    return path


def split_of(done: Finished) -> dict[str, str]:
    return {
        row: name
        for name in done.run.dataset.splits
        for row in pl.read_parquet(sorted((done.folder / "dataset/data").glob(f"{name}-*.parquet")))["row"]
    }


def parents_of(done: Finished, tmp_path: Path) -> dict[str, list[str]]:
    """The rows that were shown for each answer, from the snapshot's journal."""
    [journal] = (tmp_path / ".seedbed/snapshots").glob("*/journal.jsonl")
    kept = [json.loads(line)["kept"] for line in journal.read_text().splitlines() if "kept" in json.loads(line)]
    return {one["name"]: [row.replace("like:", "real:") for row in one["origin"]["facts"]["shown"]] for one in kept}


@pytest.mark.parametrize("first", [False, True])
def test_made_rows_and_their_parents_are_in_train(first: bool, server: ModelServer, tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, server, first=first))
    splits, parents = split_of(done), parents_of(done, tmp_path)
    made = [row for row in splits if row.startswith("generated:")]
    assert len(made) == 18
    assert {splits[row] for row in made} == {"train"}
    named = {parent for row in made for parent in parents[row.removeprefix("generated:").partition("#")[0]]}
    # A parent that a copy stands for is looked up by the copy.
    stands = {f"real:real.jsonl#{REAL + n}": f"real:real.jsonl#{n}" for n in (1, 2, 3)}
    assert 4 <= len(named) <= 8
    assert {splits[stands.get(parent, parent)] for parent in named} == {"train"}
    certificate = json.loads((done.folder / "certificate.json").read_text())
    assert certificate["train_only"]["rows"] == 18
    assert certificate["train_only"]["moved"] >= len({stands.get(parent, parent) for parent in named})
    assert certificate["passed"]
    # What is left is dealt by the shares, as if nothing had been made.
    rest = REAL - certificate["train_only"]["moved"]
    assert done.run.dataset.splits["test"] == pytest.approx(rest / 10, abs=1)
    assert "18 rows were made by a model" in (done.folder / "dataset/README.md").read_text()
    assert "18 rows were made by a model" in (done.folder / "report.html").read_text()
    [model] = done.run.models
    assert model.scores["test"]["accuracy"].n == done.run.dataset.splits["test"]


def test_drift_compares_rows_that_were_read(server: ModelServer, tmp_path: Path) -> None:
    path = recipe(tmp_path, server)
    first = seedbed.run(path, workers=1)
    assert first.run.dataset.labels_made == {"a": 12, "b": 6}
    told = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**told, "checks": [{"use": "drift", "against": {"run": str(first.folder)}}]}))
    [found] = [one for one in seedbed.run(path, workers=1).run.findings if one.check == "drift"]
    assert (found.passed, found.value) == (True, 0.0)
    assert f"{REAL} rows with {REAL} of the reference" in found.message


def test_a_parent_that_was_rejected_as_a_copy_is_stood_for_by_the_copy_that_stayed(tmp_path: Path) -> None:
    def number(file: int, record: int) -> int:
        return (file << RECORD_BITS) + record

    # File 0 has records 1 to 6; 4 is a copy of 5, which is a copy of 2; 6 was rejected for something else. Files 1 and
    # 2 were made, from records 4 and 3, and from 6.
    rows = {number(0, n): f"real:f#{n}" for n in (1, 2, 3)} | {number(1, 1): "made:a#1", number(2, 1): "made:b#1"}
    rows[number(2, 2)] = "made:b#2"
    shard = tmp_path / "rows.parquet"
    pl.DataFrame(
        {NUMBER: list(rows), ROW: list(rows.values())}, schema={NUMBER: pl.UInt64, ROW: pl.String}
    ).write_parquet(shard)
    gone = [(4, '{"of": "real:f#5", "kept": "real:f#5"}'), (5, '{"kept": "real:f#2"}'), (6, "{}")]
    entries = [(number(0, n), f"real:f#{n}", "rejected", evidence) for n, evidence in gone]
    schema = {NUMBER: pl.UInt64, ROW: pl.String, "action": pl.String, "evidence": pl.String}
    pl.DataFrame(entries, schema=schema, orient="row").write_parquet(tmp_path / "ledger.parquet")
    made = Made(frozenset(), {1: [("s", 4), ("s", 3)], 2: [("s", 6)]}, {"s": [0]}, [tmp_path / "ledger.parquet"])
    left, right = made.pairs(np.array(list(rows), dtype=np.uint64), Table((shard,)))
    named = [(rows[one], rows[other]) for one, other in zip(left.tolist(), right.tolist(), strict=True)]
    assert named == [("made:a#1", "real:f#2"), ("made:a#1", "real:f#3"), ("made:b#2", "made:b#1")]


def test_in_turn_no_made_row_moves_an_old_one(server: ModelServer, tmp_path: Path) -> None:
    done = seedbed.run(recipe(tmp_path, server, split="hashed"))
    splits, parents = split_of(done), parents_of(done, tmp_path)
    bridging = done.run.rows.rejected["hashed"]["bridges_splits"]
    assert 0 < bridging < 18
    for row, split in splits.items():
        if row.startswith("generated:"):
            assert split == "train"
            assert {splits[one] for one in parents[row.removeprefix("generated:").partition("#")[0]]} == {"train"}
    alone = tmp_path / "alone"
    alone.mkdir()
    told = yaml.safe_load((tmp_path / "recipe.yaml").read_text())
    told["sources"] = told["sources"][:1]
    (alone / "real.jsonl").write_text((tmp_path / "real.jsonl").read_text())
    (alone / "recipe.yaml").write_text(yaml.safe_dump(told))
    before = split_of(seedbed.run(alone / "recipe.yaml"))
    assert {row: split for row, split in splits.items() if row in before} == before


def test_in_turn_what_made_rows_were_made_from_follows_them_where_they_come_first(
    server: ModelServer, tmp_path: Path
) -> None:
    done = seedbed.run(recipe(tmp_path, server, split="hashed", first=True))
    splits = split_of(done)
    assert len([row for row in splits if row.startswith("generated:")]) == 18
    named = {row for shown in parents_of(done, tmp_path).values() for row in shown}
    assert {splits[row] for row in named if row in splits} == {"train"}


def test_with_a_reason_made_rows_may_judge_but_not_apart_from_their_parents(
    server: ModelServer, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="needs a `reason`"):
        seedbed.run(recipe(tmp_path, server, train_only=False))
    many = recipe(tmp_path, server, train_only=False, reason="rated by three people", pool=100, show=1)
    done = seedbed.run(many)
    splits, parents = split_of(done), parents_of(done, tmp_path)
    stands = {f"real:real.jsonl#{REAL + n}": f"real:real.jsonl#{n}" for n in (1, 2, 3)}
    made = [row for row in splits if row.startswith("generated:")]
    assert len(made) == 18
    for row in made:
        [parent] = parents[row.removeprefix("generated:").partition("#")[0]]
        assert splits[row] == splits[stands.get(parent, parent)]
    assert {splits[row] for row in made} > {"train"}
    assert done.run.certificate
    assert done.run.certificate.train_only is None
    assert any("rated by three people" in note for source in done.run.sources for note in source.notes)
