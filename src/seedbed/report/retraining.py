"""The page of a retraining: champion and challenger on the same rows, as a whole and slice by slice, and who stands."""

from __future__ import annotations

from collections.abc import Iterator

from seedbed.core.numbers import count, metric, signed, things
from seedbed.core.promotion import OnSlice, Retrained
from seedbed.core.run import Comparison

from . import facts
from .figure import Figure, showable
from .lanes import Dot, Lane, lanes
from .page import templates

#: Slices that are drawn.
_MOST_DRAWN = 40
_COLOURS = {"better": "up", "worse": "down", "not distinguishable": "hollow"}


def render(found: Retrained) -> str:
    """One HTML page that loads nothing and runs nothing; every text is escaped, and cut where it is very long.

    Returns:
        The page; it encodes as UTF-8.
    """
    told: list[tuple[str, str, object]] = [
        ("verdict", "Verdict", True),
        ("rows", "Rows", True),
        ("differences", "Differences", found.comparison),
        ("history", "Who stood", found.history),
    ]
    sections = [(key, title) for key, title, present in told if present]
    page = (
        templates()
        .get_template("retraining.html")
        .render(
            d=found,
            judged=_judged(found),
            figure=_figure(found),
            slices=sorted(found.slices, key=_worst_first),
            first_standing=next((n for n, one in enumerate(reversed(found.history)) if one.undone is None), None),
            sections=sections,
            keys={key for key, _ in sections},
            title=found.name,
            what="retraining",
            most=facts.MOST,
            facts=facts,
        )
    )
    return showable(page)


def _judged(found: Retrained) -> str:
    """The rows that judge both, in words."""
    if found.later is not None:
        return (
            f"{things(found.rows, 'test row')} of a later window ({found.later.column} after {found.later.after}), "
            "which neither model had seen"
        )
    return f"{count(found.rows)} of {things(found.frozen, 'frozen test row')} of the champion"


def _worst_first(one: OnSlice) -> tuple[int, float]:
    order = {"worse": 0, "better": 1, "not distinguishable": 2}
    return order[one.comparison.verdict], facts.p_of(one.comparison)


def _figure(found: Retrained) -> Figure | None:
    """The difference on all rows, and on each slice."""
    if found.comparison is None:
        return None
    rows = [*_lanes(found)]
    title = "Challenger minus champion, on all rows and on each slice"
    caption = f"{title}; intervals are not corrected, verdicts of slices are (Holm)."
    if len(found.slices) > _MOST_DRAWN:
        caption += f" The first {_MOST_DRAWN} of {count(len(found.slices))} slices."
    return Figure("differences", caption, lanes("differences", title, rows, [(0.0, "no difference")]))


def _lanes(found: Retrained) -> Iterator[Lane]:
    assert found.comparison is not None
    yield _lane("all rows", found.comparison)
    for one in sorted(found.slices, key=_worst_first)[:_MOST_DRAWN]:
        yield _lane(f"{one.by}: {one.value}", one.comparison)


def _lane(label: str, one: Comparison) -> Lane:
    worse = -1 if facts.lower_is_better(one.metric) else 1
    better = "lower is better" if worse < 0 else ""
    return Lane(
        label,
        f"{signed(one.difference)} {one.verdict}",
        [Dot(one.difference, one.low, one.high, _COLOURS[one.verdict], square=True)],
        note=f"{metric(one.metric)}, {things(one.n, 'row')}{f', {better}' if better else ''}",
        aside=f"{signed(one.low)} to {signed(one.high)}",
    )
