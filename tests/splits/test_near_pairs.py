"""What a split looks for above the exact limit: the same clusters as by comparing all, in memory that rows bound."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.similarity import candidates
from seedbed.core.table import Table
from seedbed.flow.splitting import split
from seedbed.splits import cluster


def table(folder: Path, texts: list[str]) -> Table:
    shards = []
    for at in range(0, len(texts), 200):
        some = pl.DataFrame({"text": texts[at : at + 200]}).with_columns(
            pl.int_range(at + 1, at + 1 + len(texts[at : at + 200]), dtype=pl.UInt64).alias(NUMBER),
            pl.format("s:f#{}", pl.int_range(at + 1, at + 1 + len(texts[at : at + 200]))).alias(ROW),
        )
        (folder / f"{at:032}").mkdir(parents=True)
        some.write_parquet(folder / f"{at:032}" / "rows.parquet")
        shards.append(folder / f"{at:032}" / "rows.parquet")
    return Table(tuple(shards))


def texts(alike: int, others: int) -> list[str]:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnop", k=6)) for _ in range(500)]
    crowd = "the parcel that you sent to our warehouse has arrived and waits for you at counter"
    found = [f"{crowd} {chance.randbytes(3).hex()}" for _ in range(alike)]
    found += [" ".join(chance.choices(words, k=12)) for _ in range(others)]
    found += found[-20:]
    chance.shuffle(found)
    return found


def test_a_crowd_in_many_units_costs_memory_by_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(tmp_path / "rows", texts(500, 300))
    similar = split.Similarity(("text",), "characters", 0.7, 80_000)
    exact = split.near_pairs(rows, similar, Context(store=tmp_path / "a"), "k")
    monkeypatch.setattr(split, "EXACT_UP_TO", 0)
    monkeypatch.setattr(candidates, "UNIT_SHINGLES", 5_000)  # the crowd is joined block by block, each with each
    banded = split.near_pairs(rows, similar, Context(store=tmp_path / "b"), "k")
    every = split.near_pairs(rows, similar, Context(store=tmp_path / "b"), "k", every=True)
    assert len(every.left) > 20 * rows.height > 20 * len(banded.left) > 0
    numbers = np.arange(1, rows.height + 1, dtype=np.uint64)
    ids = [cluster(numbers, pairs=(one.left, one.right)).ids.tolist() for one in (exact, banded, every)]
    assert ids[0] == ids[1] == ids[2] and max(np.bincount(ids[0])) >= 500
    named = [set(np.concatenate([one.left, one.right]).tolist()) for one in (exact, banded, every)]
    assert named[0] == named[1] == named[2], "rows that have a similar one"
