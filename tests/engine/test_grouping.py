"""Rows brought together on this machine: partitions, units of work, verdicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import BooksError
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import UNIT, UNITS
from seedbed.core.table import Table
from seedbed.engine import grouping, partitioning
from seedbed.engine.grouping import LocalGroups, write_verdicts
from seedbed.engine.jobs import verdicts_between
from seedbed.engine.pool import Pool

ROWS = 900


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Rows in shards of 30; numbers have gaps."""
    shards = []
    for start in range(0, ROWS, 30):
        numbers = pl.Series(range(start, start + 30), dtype=pl.UInt64) * 7 + 5
        shard = tmp_path / f"rows-{start:04}.parquet"
        names = [f"s:f#{number}" for number in numbers]
        pl.DataFrame({NUMBER: numbers, ROW: names, "text": names, "other": 1}).write_parquet(shard)
        shards.append(shard)
    return Table(tuple(shards))


def told(rows: pl.DataFrame) -> pl.DataFrame:
    """What a worker saw. (At the top of a module, so that it pickles.)"""
    assert rows.columns == [NUMBER, "text"]
    assert rows[NUMBER].is_sorted()
    return rows.select(n=pl.lit(rows.height), low=pl.col(NUMBER).min(), texts=pl.col("text").str.join(",")).head(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_work_is_given_the_rows_of_its_unit_and_comes_in_order(
    table: Table, tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(1)
    numbers = np.sort(draw.choice(ROWS, 400)) * 7 + 5  # some twice, as rows of several units
    units = pl.DataFrame({NUMBER: numbers, UNIT: draw.integers(0, 9, 400) * 2}, schema=UNITS).unique()
    units = units.sort(NUMBER, UNIT)
    store = tmp_path / "store"
    with Pool(workers) as pool:
        groups = LocalGroups(tmp_path, (), table, {}, Context(store=store), pool)
        found = pl.concat(groups.over(told, units, ["text"]))
    expected = [units.filter(pl.col(UNIT) == unit)[NUMBER].sort() for unit in sorted(set(units[UNIT]))]
    assert found["n"].to_list() == [len(rows) for rows in expected]
    assert found["low"].to_list() == [rows[0] for rows in expected]
    assert found["texts"].to_list() == [",".join(f"s:f#{number}" for number in rows) for rows in expected]
    assert not list((store / "work").iterdir()), "nothing is left"
    assert list(groups.over(told, units.clear(), ["text"])) == []


def test_partitions_hold_every_key_once_and_equal_keys_together(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(2)
    keys = pl.DataFrame({NUMBER: np.arange(5_000, dtype=np.uint64), "key": draw.integers(0, 900, 5_000)})
    files = []
    for start in range(0, 5_000, 1_000):
        files.append(tmp_path / f"keys-{start}.parquet")
        keys.slice(start, 1_000).write_parquet(files[-1])
    monkeypatch.setattr(grouping, "PARTITION_KEYS", 700)
    parts = list(LocalGroups(tmp_path, tuple(files), table, {}).partitions())
    assert len(parts) > 4
    assert pl.concat(parts).select(NUMBER, "key").sort(NUMBER).equals(keys)
    assert sum(part["key"].n_unique() for part in parts) == keys["key"].n_unique()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("run", [300, 1_700, 9_000])
def test_keys_are_dealt_in_runs_that_need_not_end_with_files(
    tmp_path: Path, workers: int, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(3)
    keys = pl.DataFrame({NUMBER: np.arange(5_000, dtype=np.uint64), "key": draw.integers(0, 9, 5_000, np.uint64)})
    keys = keys.with_columns(rest=pl.col("key").cast(pl.String))
    files = [tmp_path / f"keys-{start}.parquet" for start in range(0, 5_000, 1_000)]
    for place, file in enumerate(files):  # of which the second and the last are out of order, and one is empty
        some = keys.slice(place * 1_000, 1_000)
        (some.reverse() if place in (1, 4) else some).write_parquet(file, row_group_size=170)
    files.insert(2, tmp_path / "keys-none.parquet")
    keys.clear().write_parquet(files[2])
    monkeypatch.setattr(grouping, "PARTITION_KEYS", 500)
    monkeypatch.setattr(partitioning, "RUN_KEYS", run)
    with Pool(workers) as pool:
        groups = LocalGroups(tmp_path, tuple(files), Table(()), {}, workers=pool)
        parts, again = list(groups.partitions()), list(groups.partitions())
    assert 1 < len(parts) <= 9, "some of ten partitions have no key"
    assert all(part[NUMBER].is_sorted() for part in parts)
    assert sum(part["key"].n_unique() for part in parts) == 9
    assert pl.concat(parts).sort(NUMBER).equals(keys)
    assert pl.concat(again).equals(pl.concat(parts)), "they may be read again"
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_dir()) == ["partitions"], "nothing half-made"


def verdicts(numbers: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {NUMBER: pl.Series(numbers, dtype=pl.UInt64), "reason": "copy", "of": [f"s:f#{n}" for n in numbers]}
    )


@pytest.mark.parametrize("order", [[[1, 2], [5], [9, 11]], [[9, 1], [11, 5], [2]], [[], [2, 1]], [[]], []])
def test_verdicts_are_sorted_whatever_their_order(order: list[list[int]], tmp_path: Path) -> None:
    path = tmp_path / "verdicts.parquet"
    every = sorted(number for piece in order for number in piece)
    assert write_verdicts(map(verdicts, order), path, "part") == len(every)
    found = pl.read_parquet(path)
    assert found.schema == {NUMBER: pl.UInt64, "reason": pl.String, "evidence": pl.String}
    assert found[NUMBER].to_list() == every
    assert found["evidence"].to_list() == [f'{{"of":"s:f#{number}"}}' for number in every]
    assert verdicts_between(path, 2, 9)[NUMBER].to_list() == [number for number in every if 2 <= number <= 9]
    assert [one.name for one in tmp_path.iterdir()] == ["verdicts.parquet"]


@pytest.mark.parametrize("order", [[[1, 1]], [[1, 2], [2, 3]], [[5], [1, 5]]])
def test_a_row_with_two_verdicts_is_an_error(order: list[list[int]], tmp_path: Path) -> None:
    with pytest.raises(BooksError, match="two verdicts"):
        write_verdicts(map(verdicts, order), tmp_path / "verdicts.parquet", "part")
    assert not list(tmp_path.iterdir()), "nothing half-made"
