"""The digest of rows does not depend on the batches in which they come."""

from __future__ import annotations

import polars as pl
import pytest

from seedbed.core.digest import RowsDigest

ROWS = pl.DataFrame(
    {
        "row": ["a", "b", "c", "d", "e"],
        "x": [1.5, float("nan"), None, 2.0, 1e300],
        "y": [1.0, 2.5, float("-inf"), None, 0.1],
        "z": [[1.0], [float("nan")], None, [2.0], []],
    }
)


def digest(rows: pl.DataFrame, size: int) -> str:
    told = RowsDigest()
    for start in range(0, rows.height, size):
        told.update(rows.slice(start, size))
    return told.hexdigest()


@pytest.mark.parametrize("rows", [ROWS, ROWS.drop("y"), ROWS.filter(row="d"), ROWS.select("row", "z")])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_numbers_that_are_none_make_no_difference_to_other_rows(rows: pl.DataFrame, size: int) -> None:
    assert digest(rows, size) == digest(rows, 10)


def test_each_value_counts() -> None:
    found = {
        digest(ROWS.with_columns(x=pl.Series([one, *ROWS["x"][1:]])), 10) for one in (1.5, None, float("nan"), 2.0)
    }
    assert len(found) == 4
