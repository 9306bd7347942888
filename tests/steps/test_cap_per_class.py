"""`cap_per_class`: as many of a class as asked for, whatever the order and the pieces."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from test_reduces import InMemory

from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.steps import CapPerClass


def table(labels: list[Any]) -> pl.DataFrame:
    rows = pl.DataFrame({"label": labels}, strict=False)
    records = pl.Series(range(1, rows.height + 1), dtype=pl.UInt64)
    return number_rows(rows, file_number=1, source="0", file="f", records=records)


def gone(step: CapPerClass, rows: pl.DataFrame, pieces: int, batch: int) -> pl.DataFrame:
    found = list(step.judge(InMemory(step, rows, pieces=pieces, batch=batch)))
    return pl.concat(found).sort(NUMBER) if found else pl.DataFrame(schema={NUMBER: pl.UInt64, "rows": pl.UInt64})


@given(
    st.lists(st.sampled_from(["a", "b", "c", "é", "", None]), max_size=60),
    st.integers(1, 8),
    st.integers(1, 5),
    st.integers(1, 20),
    st.integers(0, 2**64 - 1),
)
def test_each_class_keeps_the_rows_of_lowest_hash(
    labels: list[str | None], cap: int, pieces: int, batch: int, seed: int
) -> None:
    rows = table(pl.Series(labels, dtype=pl.String).to_list()).cast({"label": pl.String})
    verdicts = gone(CapPerClass(column="label", at_most=cap, seed=seed), rows, pieces, batch)
    expected = []
    for label in {label for label in labels if label}:
        of_class = rows.filter(label=label)
        order = sorted(of_class[ROW], key=lambda row: xxhash.xxh3_64_intdigest(row.encode(), seed=seed))
        expected += of_class.filter(pl.col(ROW).is_in(order[cap:]))[NUMBER].to_list()
    assert verdicts[NUMBER].to_list() == sorted(expected)
    counts = Counter(labels)
    labelled = verdicts.join(rows, on=NUMBER)
    assert all(row["rows"] == counts[row["label"]] for row in labelled.iter_rows(named=True))


def test_a_lower_cap_keeps_a_part_of_a_higher_one() -> None:
    rows = table(["a"] * 500 + ["b"] * 30 + [None] * 10)
    low = gone(CapPerClass(column="label", at_most=20), rows, 3, 100)
    high = gone(CapPerClass(column="label", at_most=40), rows, 2, 77)
    assert (low.height, high.height) == (480 + 10, 460)
    assert set(high[NUMBER]) < set(low[NUMBER])
    other = gone(CapPerClass(column="label", at_most=20, seed=1), rows, 3, 100)
    assert set(other[NUMBER]) != set(low[NUMBER])


def test_numbers_are_classes_too() -> None:
    rows = table([1.0, 1.0, float("nan"), float("nan"), 2.0])
    assert gone(CapPerClass(column="label", at_most=1), rows, 1, 10).height == 1


def test_the_cut_is_exact_where_many_rows_share_their_first_bits() -> None:
    rows = table(["a"] * 20_000 + ["b"] * 9_000)
    for cap in (9_997, 9_998, 9_999, 10_000):
        verdicts = gone(CapPerClass(column="label", at_most=cap), rows, 3, 5_000)
        order = sorted(rows[ROW][:20_000], key=lambda row: xxhash.xxh3_64_intdigest(row.encode(), seed=13))
        expected = rows.filter(pl.col(ROW).is_in(order[cap:]))[NUMBER]
        assert verdicts[NUMBER].to_list() == expected.to_list()
