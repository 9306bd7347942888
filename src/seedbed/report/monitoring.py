"""The page of a model that is watched: what changed since it was judged, how sure that is, and how the model does."""

from __future__ import annotations

from seedbed.core.monitoring import Signal, Watch
from seedbed.core.numbers import chance

from .bars import Bar, Segment, bars
from .figure import Figure
from .page import page_of

#: Signals that are drawn.
_MOST_DRAWN = 30


def render(found: Watch) -> str:
    """One HTML page that loads nothing and runs nothing; every text is escaped, and cut where it is very long.

    Returns:
        The page; it encodes as UTF-8.
    """
    told: list[tuple[str, str, object]] = [
        ("verdict", "Verdict", True),
        ("signals", "What changed", found.signals),
        ("performance", "Where labels came", found.performance),
        ("estimated", "Without labels", found.estimated),
        ("notes", "How it was looked at", True),
    ]
    return page_of(
        "monitoring.html",
        told,
        title=found.model,
        what="monitor",
        d=found,
        figure=_figure(found.signals),
    )


def _figure(signals: tuple[Signal, ...]) -> Figure | None:
    """Effects, those that are alarms striped."""
    shown = [one for one in signals if one.effect is not None][:_MOST_DRAWN]
    if not shown:
        return None
    rows = []
    for one in shown:
        effect = one.effect or 0.0
        value = one.size + ("" if one.p_holm is None else f", p {chance(one.p_holm)}")
        tip = f"{one.monitor}: {one.measure} {one.size}"
        kind = "lost" if one.alarm else "whole"
        pieces = [Segment(0, effect, kind, tip, one.alarm)] if effect > 0 else []
        rows.append(Bar(one.what, value, pieces))
    title = f"effects of {len(shown)} signals, {sum(one.alarm for one in shown)} of them alarms"
    return Figure("effects", "How large each difference is. Striped: an alarm.", bars("effects", title, rows))
