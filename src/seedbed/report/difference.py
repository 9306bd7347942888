"""The page of a difference between two runs or datasets."""

from __future__ import annotations

from seedbed.core import numbers
from seedbed.core.difference import Difference, Distribution
from seedbed.core.numbers import count, things

from .bars import Bar, Segment, bars
from .figure import Figure
from .page import page_of

#: What differs, where its section has another name.
_SECTIONS = {"schema": "columns", "distributions": "spread of values", "rejected": "where rows went"}
#: Shares of a distribution that are shown.
_SHARES = 4


def render(difference: Difference) -> str:
    """One HTML page that loads nothing and runs nothing; every text is escaped, and cut where it is very long.

    Returns:
        The page; it encodes as UTF-8.
    """
    rows = difference.rows
    told: list[tuple[str, str, object]] = [
        ("verdict", "Verdict", True),
        ("rows", "Rows", True),
        ("labels", "Labels", rows.labels),
        ("schema", "Columns", difference.schema_changes),
        ("spread", "Spread of values", difference.distributions),
        ("checks", "Checks", difference.checks),
        ("scores", "Scores", difference.scores),
        ("recipe", "Recipe", difference.recipe),
        ("books", "Where rows went", difference.books),
    ]
    return page_of(
        "difference.html",
        told,
        title=_title(difference),
        what="comparison",
        d=difference,
        differs=[_SECTIONS.get(one, one) for one in difference.differs],
        rows=rows,
        both=difference.a.rows - rows.removed,
        changed_labels=sum(one.rows for one in rows.labels),
        figure=_figure(difference),
        shift=shift,
    )


def _title(difference: Difference) -> str:
    a, b = difference.a, difference.b
    return a.name if a.name and a.name == b.name else f"{a.name or a.named} and {b.name or b.named}"


def shift(one: Distribution, most: int = _SHARES) -> str:
    """Where a distribution went: the shares that moved most, or the quartiles."""
    if one.test != "chi-square":
        return "; ".join(f"{name}: {_plain(one.a[name])} → {_plain(one.b[name])}" for name in one.a)
    names = sorted(one.a, key=lambda name: -abs(one.a[name] - one.b[name]))[:most]
    return "; ".join(
        f"{numbers.short(name, 24)} {numbers.percent(one.a[name])} → {numbers.percent(one.b[name])}" for name in names
    )


def _plain(value: float) -> str:
    return count(value) if value == int(value) else numbers.score(value)


def _figure(difference: Difference) -> Figure:
    """Rows before and now: what both have, what only one has."""
    rows, a, b = difference.rows, difference.a.rows, difference.b.rows
    other = b - rows.added - rows.same
    both = [
        Segment(0, rows.same, "whole", things(rows.same, "row that is the same", "rows that are the same")),
        Segment(
            rows.same,
            other,
            "made",
            things(other, "row of both, changed or moved", "rows of both, changed or moved"),
            True,
        ),
    ]
    removed = Segment(
        rows.same + other, rows.removed, "lost", things(rows.removed, "row that is gone", "rows that are gone"), True
    )
    added = Segment(rows.same + other, rows.added, "kept", things(rows.added, "row that is new", "rows that are new"))
    drawn = bars(
        "rows",
        f"{things(a, 'row')} before and {count(b)} now: {count(rows.same)} the same, {count(other)} changed or moved, "
        f"{count(rows.removed)} removed, {count(rows.added)} added",
        [Bar("before", things(a, "row"), [*both, removed]), Bar("now", things(b, "row"), [*both, added])],
        [("whole", "the same"), ("made", "changed or moved"), ("lost", "removed"), ("kept", "added")],
    )
    return Figure("rows", "Rows before and now. Striped: changed or moved, and removed.", drawn)
