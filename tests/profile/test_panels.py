"""Columns whose rows may belong together: by their names, or as each of many values stands in equally many rows."""

import polars as pl
import pytest

from seedbed.profile.columns import column_profile
from seedbed.profile.roles import roles_of


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (pl.DataFrame({"nr": [n for n in range(300) for _ in range(8)]}), ("nr",)),
        (pl.DataFrame({"nr": [n % 300 for n in range(2_399)]}), ()),
        (pl.DataFrame({"year": [1980 + n % 8 for n in range(2_400)]}), ()),
        (pl.DataFrame({"value": [n * 1.5 for n in range(2_400)]}), ()),
        (pl.DataFrame({"patient_id": [n % 700 for n in range(2_400)], "nr": [n // 8 for n in range(2_400)]}),
         ("patient_id", "nr")),
    ],
)  # fmt: skip
def test_what_may_belong_together(rows: pl.DataFrame, found: tuple[str, ...]) -> None:
    rows = rows.with_columns(y=pl.Series(range(rows.height)) % 7 * 1.1)
    assert roles_of([column_profile(column) for column in rows], label="y").groups == found
