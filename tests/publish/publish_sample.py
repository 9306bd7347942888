"""A small run with the dataset folder that belongs to it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.check import Finding
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import (
    ColumnRecord,
    Comparison,
    DatasetRecord,
    GateRecord,
    LeakageClaim,
    ModelRecord,
    Run,
    SourceRecord,
    StepRecord,
    Waived,
)
from seedbed.core.splitter import Certificate
from seedbed.publish.papers import Answers, write_papers

RECIPE = """seedbed: 1
name: tweets
task: {kind: text_classification, text: text, label: sentiment}
sources:
  - {use: csv, path: tweets.csv, license: MIT}
"""
ANSWERED = Answers(
    license="CC-BY-4.0",
    languages=("en", "no"),
    collected=("By hand.", "In 2024."),
    intended_uses=("Tests of *sentiment*.",),
    sensitive=("None.",),
    contact="Ada <ada@example.org>",
)


def frame(rows: int, labels: list[str | None], start: int = 1) -> pl.DataFrame:
    numbers = range(start, start + rows)
    return pl.DataFrame(
        {
            "row": [f"0:tweets.csv#{i}" for i in numbers],
            "text": [None if i % 5 == 0 else f"text {i} | <b>ünï</b>" for i in numbers],
            "sentiment": [labels[i % len(labels)] for i in numbers],
            "likes": list(numbers),
            "score": [i / 2 for i in numbers],
            "seen": [datetime.datetime(2024, 1, 1) for _ in numbers],
            "tags": [["a", "b"] for _ in numbers],
            "spam": [i % 2 == 0 for i in numbers],
        },
        schema_overrides={"sentiment": pl.String},
    )


def splits_of(labels: list[str | None]) -> dict[str, pl.DataFrame]:
    return {
        "train": frame(40, labels),
        "validation": frame(6, labels, 41),
        "test": frame(7, labels, 47),
    }


def run_of(splits: dict[str, pl.DataFrame], *, label: str = "sentiment", **changed: Any) -> Run:
    whole = pl.concat(splits.values()) if splits else pl.DataFrame()
    columns = [
        ColumnRecord(name=name, type=str(kind), missing=whole[name].null_count(), unique=whole[name].n_unique())
        for name, kind in whole.schema.items()
        if name != "row"
    ]
    counted = {
        split: dict(rows[label].drop_nulls().value_counts(sort=True).iter_rows()) for split, rows in splits.items()
    }
    sizes = {split: rows.height for split, rows in splits.items()}
    fields: dict[str, Any] = {
        "seedbed": "0.1.0",
        "name": "tweets",
        "id": "20261121-abc",
        "state": "passed",
        "started": "2026-11-21T10:00:00Z",
        "seconds": 12.5,
        "task": {"kind": "text_classification", "text": "text", "label": label},
        "seed": 13,
        "sources": (source("MIT"),),
        "rows": Books(read=60, kept=whole.height, rejected={"drop_missing": {"missing": 60 - whole.height}}),
        "steps": (
            StepRecord(
                part="drop_missing",
                use="drop_missing",
                rows_in=60,
                rows_out=whole.height,
                changed=0,
                rejected={"missing": 60 - whole.height},
            ),
        ),
        "dataset": DatasetRecord(
            digest="ab" * 32, splits=sizes, columns=tuple(columns), labels=counted, labels_before={}, lengths=None
        ),
        "certificate": Certificate(
            threshold=0.7,
            shingles="characters",
            method="exact join",
            clusters=50,
            largest_cluster=3,
            splits=sizes,
            asked={"train": 0.8, "validation": 0.1, "test": 0.1},
            got={"train": 0.755, "validation": 0.113, "test": 0.132},
            verified={"rows": 13, "of": 13, "pairs_found": 0, "upper_bound": 0.0021},
            passed=True,
        ),
        "findings": (Finding(check="row_count", passed=True, value=53, limit=10, message="53 rows"),),
        "models": (
            model("majority", 0.20),
            model("tfidf_logistic", 0.74),
        ),
        "metric": "macro_f1",
        "best": "tfidf_logistic",
        "comparisons": (
            Comparison(
                a="majority",
                b="tfidf_logistic",
                split="test",
                metric="macro_f1",
                difference=0.54,
                low=0.5,
                high=0.58,
                p=0.0001,
                mcnemar=0.001,
                n=7,
                verdict="better",
            ),
        ),
        "leakage": LeakageClaim(
            model="tfidf_logistic",
            metric="macro_f1",
            honest=Score(value=0.74, low=0.7, high=0.78, n=7),
            naive=Score(value=0.81, low=0.8, high=0.82, n=7),
            naive_rows=60,
            straddling=2,
            naive_test_rows=12,
        ),
        "gates": (
            GateRecord(
                metric="macro_f1",
                split="test",
                model=None,
                passed=False,
                value=0.74,
                limit=0.8,
                direction="at_least",
                waived="good enough for a test",
            ),
        ),
        "waivers": (Waived(what="gate macro_f1 on test", reason="good enough for a test"),),
        "intervals": {"level": 0.95, "resamples": 10000},
        "recipe_text": RECIPE,
        "command": "seedbed run recipe.yaml",
        "versions": {"python": "3.11", "polars": "2.1"},
    }
    return Run(**{**fields, **changed})


def source(license: str | None, name: str = "0") -> SourceRecord:
    return SourceRecord(
        name=name,
        use="csv",
        path="tweets.csv",
        license=license,
        files=1,
        bytes=1000,
        rows=60,
        malformed=0,
        settings={},
        notes=("4 rows were decoded as cp1252",),
    )


def model(name: str, f1: float) -> ModelRecord:
    score = Score(value=f1, low=f1 - 0.04, high=f1 + 0.04, n=7)
    scores = {"test": {"macro_f1": score, "accuracy": score}}
    return ModelRecord(
        name=name, use=name, options={}, scores=scores, classes={}, confusion={}, mistakes=(), seconds=1.0, bytes=10
    )


def write_dataset(folder: Path, splits: dict[str, pl.DataFrame], run: Run, answers: Answers, shards: int = 1) -> Path:
    """A dataset folder as a run writes it."""
    (folder / "data").mkdir(parents=True)
    for split, rows in splits.items():
        size = -(-rows.height // shards) or 1
        for i in range(shards):
            rows.slice(i * size, size).write_parquet(folder / f"data/{split}-{i:05}-of-{shards:05}.parquet")
    write_papers(folder, run, answers)
    return folder


def finished(folder: Path) -> Path:
    """A run folder as `flow` leaves it."""
    splits = splits_of(["a", "b"])
    run = run_of(splits)
    write_dataset(folder / "dataset", splits, run, ANSWERED)
    (folder / "run.json").write_text(run.model_dump_json())
    (folder / "report.html").write_text("<h1>report</h1>")
    (folder / "certificate.json").write_text("{}")
    (folder / "models" / "majority").mkdir(parents=True)
    (folder / "models" / "majority" / "bundle.json").write_text("{}")
    (folder / "ledger").mkdir()
    (folder / "ledger" / "part-0.parquet").write_bytes(b"private")
    return folder
