"""Horizontal bars, each under a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.core.numbers import short

from .drawing import Drawing, at

ROOM = 44
"""Characters that fit side by side into the narrowest page."""


@dataclass(frozen=True)
class Segment:
    """A piece of a bar, from `start` to `start + width` (both in the bars' unit)."""

    start: float
    width: float
    kind: str
    tip: str
    hatched: bool = False


@dataclass(frozen=True)
class Bar:
    """A line of text over a bar; `second` is a thinner bar under it."""

    label: str
    value: str
    pieces: Sequence[Segment]
    second: Sequence[Segment] = ()


def bars(key: str, title: str, rows: Sequence[Bar], legend: Sequence[tuple[str, str]] = ()) -> Drawing:
    """Horizontal bars on one scale that starts at zero."""
    whole = max((p.start + p.width for row in rows for p in (*row.pieces, *row.second)), default=0) or 1
    heights = [50 if row.second else 38 for row in rows]
    above = Drawing.legend_height(legend) + 6 if legend else 0.0
    drawing = Drawing(key, title, above + sum(heights))
    drawing.legend(0, legend)
    top = above
    for row, height in zip(rows, heights, strict=True):
        drawing.text(0, top + 13, short(row.label, max(8, ROOM - len(row.value))), "name")
        drawing.text(at(1), top + 13, row.value, "soft", "end")
        for y, pieces in ((top + 19, row.pieces), (top + 32, row.second)):
            for piece in pieces:
                draw = drawing.hatched if piece.hatched else drawing.rect
                draw(at(piece.start / whole), y, at(piece.width / whole), 12, piece.kind, piece.tip)
        top += height
    return drawing
