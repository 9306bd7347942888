"""Which rows a finding shows, and findings that are a share of rows."""

from __future__ import annotations

import polars as pl

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.rows import ROW

#: Most rows that one finding names.
MOST = 10


def first_rows(view: View, blamed: pl.Expr) -> tuple[str, ...]:
    """Names of the first rows that are to blame."""
    return tuple(view.rows.filter(blamed).select(ROW).head(MOST).collect(engine="streaming")[ROW])


def share_finding(
    check: Check, view: View, *, judged: pl.Expr, blamed: pl.Expr, limit: float, what: str, good: bool = False
) -> Finding:
    """A finding on the share of values that are to blame. Where there is no value at all, nothing is wrong with any.

    Args:
        check: Whose finding it is.
        view: What it looks at.
        judged: Rows that have a value.
        blamed: Those of them that are at fault.
        limit: Largest share that may be, or, if `good`, least share that may not be.
        what: The rest of the sentence, after "3 of 10".
        good: Whether the finding's value is the share of the others.
    """
    bad = judged & blamed
    counts = view.rows.select(judged.sum().alias("all"), bad.sum().alias("bad")).collect(engine="streaming")
    total, rows = (int(n) for n in counts.row(0))
    share = rows / total if total else 0.0
    value = ((total - rows) / total if total else 1.0) if good else share
    passed = value >= limit if good else value <= limit
    at_most = 1 - limit if good else limit
    allowed = f" At most {numbers.typed(numbers.percent(at_most))} may." if at_most else ""
    part = f" ({numbers.typed(numbers.percent(share))})" if rows else ""
    return check.finding(
        passed,
        value=round(value, 6),
        limit=limit,
        message=f"{rows:,} of {total:,}{part} {what}.{allowed}",
        rows=first_rows(view, bad) if rows else (),
    )
