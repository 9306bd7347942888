"""Square plots of shares against shares: curves, and how often a model was right by how sure it was."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core.metric import Score
from seedbed.core.numbers import count, percent, score, short, span, things
from seedbed.core.run import Curve, ReliabilityBin

from .drawing import Drawing

WIDTH, SIDE, LEFT, TOP = 330, 276, 46, 8
"""Pixels of a square plot; it fits the narrowest page as it is."""
MOST_LINES = 6
"""Curves that one plot shows."""
_COUNTS = 54


def curves(key: str, title: str, axes: tuple[str, str], shown: Sequence[Curve], *, diagonal: bool) -> Drawing:
    """Curves of some labels in one square, with a legend that names each with its area."""
    drawing = Drawing(key, title, TOP + SIDE + 46 + 20 * len(shown), WIDTH)
    _square(drawing, axes)
    if diagonal:
        drawing.path([(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], "chance")
    for place, curve in enumerate(shown):
        points = [(LEFT + SIDE * x, TOP + SIDE * (1 - y)) for x, y in zip(curve.x, curve.y, strict=True)]
        drawing.path(points, f"curve c{place}", f"{short(curve.label, 60)}: area {score(curve.area)}")
        line = TOP + SIDE + 46 + 20 * place
        drawing.line(LEFT, line + 9, LEFT + 34, line + 9, f"curve c{place}")
        drawing.text(LEFT + 42, line + 13, f"{short(curve.label, 24)}  {score(curve.area)}")
    return drawing


def reliability(key: str, title: str, bins: Sequence[ReliabilityBin]) -> Drawing:
    """How often rows were right by how sure the model was, with intervals; below, how many rows there are."""
    drawing = Drawing(key, title, TOP + SIDE + 62 + _COUNTS, WIDTH)
    _square(drawing, ("how sure the model was", "how often it was right"))
    drawing.path([(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], "chance")
    filled = [one for one in bins if one.rows]
    for one in filled:
        x, right = LEFT + SIDE * one.confidence, one.accuracy
        low, high = TOP + SIDE * (1 - right.low), TOP + SIDE * (1 - right.high)
        drawing.line(x, low, x, high, "whisker")
        for end in (low, high):
            drawing.line(x - 4, end, x + 4, end, "whisker")
        drawing.dot(x, TOP + SIDE * (1 - right.value), "dot point", _said(one, right))
    most = max((one.rows for one in bins), default=0) or 1
    floor = TOP + SIDE + 56 + _COUNTS
    drawing.text(LEFT, floor - _COUNTS - 2, f"rows at each confidence, at most {count(most)}", "soft")
    drawing.line(LEFT, floor, LEFT + SIDE, floor, "axis")
    for one in filled:
        high = max(1.0, (_COUNTS - 8) * one.rows / most)
        wide = SIDE * (one.high - one.low)
        tip = f"{percent(one.low)} to {percent(one.high)} sure: {things(one.rows, 'row')}"
        drawing.rect(LEFT + SIDE * one.low + 1, floor - high, max(1.0, wide - 2), high, "whole", tip)
    return drawing


def _said(one: ReliabilityBin, right: Score) -> str:
    return f"{percent(one.confidence)} sure, {percent(right.value)} right ({span(right)}), {things(one.rows, 'row')}"


def _square(drawing: Drawing, axes: tuple[str, str]) -> None:
    for place in range(6):
        share = place / 5
        x, y = LEFT + SIDE * share, TOP + SIDE * (1 - share)
        drawing.line(x, TOP, x, TOP + SIDE, "grid")
        drawing.line(LEFT, y, LEFT + SIDE, y, "grid")
        drawing.text(x, TOP + SIDE + 16, f"{share:g}", "soft", "middle")
        drawing.text(LEFT - 6, y + 4, f"{share:g}", "soft", "end")
    drawing.text(LEFT + SIDE / 2, TOP + SIDE + 34, axes[0], "soft", "middle")
    drawing.text(12, TOP + SIDE / 2, axes[1], "soft", "middle", turn=-90)
