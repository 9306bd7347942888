"""Recipes with `prepare`, small enough to be run in a second, and what their runs hold."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

import seedbed
from seedbed.core.step import Step
from seedbed.flow.finished import Finished
from seedbed.recipe.loading import load

WORDS = {"a": "red blue green sky tree leaf grass moss", "b": "car road wheel drive fast engine lane truck"}
COMMON = ["the", "a", "of", "is", "was", "it", "on", "in", "at", "my", "your", "his", "her", "we", "they", "some"]
BALANCED = [{"use": "undersample", "to": {"a": 90}}, {"use": "oversample"}, {"use": "class_weights"}]


def rows_of(rows: int = 240, seed: int = 1) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    found = []
    for number in range(rows):
        label = "a" if chance.random() < 0.75 else "b"
        own = WORDS[label].split()
        words = [chance.choice(own if chance.random() < 0.4 else COMMON) for _ in range(10)]
        found.append({"text": " ".join(words) + f" {chance.randrange(10**7)}", "label": label, "n": number})
    return found


def recipe(
    folder: Path,
    prepare: Sequence[Any] = (),
    rows: Sequence[dict[str, Any]] | None = None,
    *,
    files: int = 1,
    **told: Any,
) -> Path:
    data = rows_of() if rows is None else rows
    (folder / "rows").mkdir(parents=True, exist_ok=True)
    for part in range(files):
        lines = [json.dumps(row) for row in data[part::files]]
        (folder / f"rows/{part}.jsonl").write_text("\n".join(lines))
    whole = {
        "seedbed": 1,
        "name": "prepared",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows", "name": "r"}],
        "prepare": list(prepare),
        "train": [{"use": "majority"}, {"use": "naive_bayes"}],
        "evaluate": {"leakage": False, "effect": False, "curve": False, "intervals": {"resamples": 100}},
        **told,
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(whole))
    return path


def dataset(done: Finished) -> dict[str, pl.DataFrame]:
    data = done.folder / "dataset/data"
    return {split: pl.read_parquet(sorted(data.glob(f"{split}-*.parquet"))) for split in done.run.dataset.splits}


def ledger(done: Finished) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(file) for file in sorted((done.folder / "ledger").glob("*.parquet"))])


def with_parts(path: Path, *parts: Step) -> Finished:
    """A run with parts that no recipe can name."""
    loaded = load(path)
    return seedbed.flow.run(replace(loaded, recipe=loaded.recipe.model_copy(update={"prepare": parts})))
