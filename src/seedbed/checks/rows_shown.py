"""Which rows a finding shows."""

from __future__ import annotations

import polars as pl

from seedbed.core.check import View
from seedbed.core.rows import ROW

#: Most rows that one finding names.
MOST = 10


def first_rows(view: View, blamed: pl.Expr) -> tuple[str, ...]:
    """Names of the first rows that are to blame."""
    return tuple(view.rows.filter(blamed).select(ROW).head(MOST).collect(engine="streaming")[ROW])
