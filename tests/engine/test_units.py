"""Nothing is done twice: a unit's key says all that its outcome depends on, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.task import TextClassification
from seedbed.engine.curate import Curated, Curation
from seedbed.sources.jsonl import Jsonl
from seedbed.steps.exact_duplicates import ExactDuplicates
from seedbed.steps.normalize import Normalize
from seedbed.steps.text_length import TextLength

TASK = TextClassification(kind="text_classification", text="text", label="label")
STEPS = (Normalize(column="text"), ExactDuplicates(column="text"), TextLength(column="text", at_least=3))


def lines(first: int, last: int) -> str:
    return "".join(
        json.dumps({"text": f"text  number {n // 2}", "label": "ab"[n % 2]}) + "\n" for n in range(first, last)
    )


@pytest.fixture
def curate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Curated]:
    monkeypatch.setattr(Jsonl, "block_bytes", 1000)

    def curate(steps: Any = STEPS, path: str = "data", **options: Any) -> Curated:
        context = Context(base=tmp_path, store=tmp_path / "store")
        return Curation((Jsonl(path=str(tmp_path / path), **options),), tuple(steps), TASK, context).run()

    return curate


def units(place: Path) -> dict[str, int]:
    """The units in the store, with the time at which they were written."""
    return {unit.name: unit.stat().st_mtime_ns for unit in (place / "store" / "units").iterdir()}


def rows(curated: Curated) -> pl.DataFrame:
    return curated.table.scan().collect()


def test_appended_rows_cost_what_they_cost(tmp_path: Path, curate: Callable[..., Curated]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.jsonl").write_text(lines(0, 2000))
    curate()
    before = units(tmp_path)
    (data / "a.jsonl").write_text(lines(0, 2020))
    (data / "b.jsonl").write_text(lines(3000, 3010))
    grown = curate()
    after = units(tmp_path)
    assert {name: after[name] for name in before} == before, "what was there was not made again"
    # Of each of reading, keys and applying: the block that was the last, what is new after it, and the new file.
    assert len(after) - len(before) <= 3 * 3 < len(before) / 20
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    context = Context(base=tmp_path, store=fresh / "store")
    again = Curation((Jsonl(path=str(data)),), STEPS, TASK, context).run()
    assert rows(grown).equals(rows(again)) and grown.books == again.books
    ledger = [pl.scan_parquet(list(chain(*one.ledger))).collect() for one in (grown, again)]
    assert ledger[0].equals(ledger[1])


def test_an_edited_step_runs_what_follows_it(tmp_path: Path, curate: Callable[..., Curated]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_text(lines(0, 2000))
    curate()
    before = units(tmp_path)
    curate([*STEPS[:2], TextLength(column="text", at_least=4)])
    after = units(tmp_path)
    read = len(before) // 3
    assert len(after) - len(before) == read, "only the last pass"
    assert {name: after[name] for name in before} == before


def test_where_a_file_lies_does_not_matter(tmp_path: Path, curate: Callable[..., Curated]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_text(lines(0, 500))
    first = curate()
    before = units(tmp_path)
    (tmp_path / "data").rename(tmp_path / "moved")
    assert curate(path="moved").table == first.table
    assert units(tmp_path) == before
    curate(path="moved", name="other")
    assert len(units(tmp_path)) == 2 * len(before), "a row's name is part of it"


@pytest.mark.parametrize(
    ("name", "how"),
    [("rows.parquet", "cut"), ("ledger.parquet", "cut"), ("done.json", "cut"), ("rows.parquet", "one byte")],
)
def test_a_damaged_unit_is_made_again_and_no_other(
    tmp_path: Path, curate: Callable[..., Curated], name: str, how: str
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_text(lines(0, 500))
    first = rows(curate())
    before = units(tmp_path)
    damaged = next(unit for unit in (tmp_path / "store" / "units").iterdir() if (unit / "rows.parquet").exists())
    held = (damaged / name).read_bytes()
    (damaged / name).write_bytes(held[:-9] if how == "cut" else held.replace(b"number", b"mumber"))
    if how == "one byte":
        (tmp_path / "store" / "passes").rename(tmp_path / "gone")
    assert rows(curate()).equals(first)
    after = units(tmp_path)
    assert {unit for unit in before if after[unit] != before[unit]} == {damaged.name}
