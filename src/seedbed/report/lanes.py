"""Dots with intervals, each in a lane of its own under a line of text, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.core.metric import Score
from seedbed.core.numbers import short

from .bars import ROOM
from .drawing import Drawing, at

_LINE = 17
_LANE = 15
_GAP = 8


@dataclass(frozen=True)
class Dot:
    """A value with its interval; `kind` is `point` (filled), `hollow`, or a verdict's colour (`up`, `down`)."""

    value: float
    low: float
    high: float
    kind: str = "point"
    square: bool = False
    tip: str = ""

    @property
    def ends(self) -> tuple[float, float, float]:
        """The interval's ends with the value between them."""
        return self.low, self.value, self.high

    @property
    def finite(self) -> bool:
        """Whether it can be drawn."""
        return all(map(math.isfinite, self.ends))


def dot(of: Score, kind: str = "point", *, square: bool = False, tip: str = "") -> Dot:
    """A score as a dot."""
    return Dot(of.value, of.low, of.high, kind, square, tip)


@dataclass(frozen=True)
class Lane:
    """Text over dots: `label` and, at the right, `value`; in a second line `note` and `aside`.

    The dots stand each below the other unless they stand `together`. Without dots, a lane is a heading.
    """

    label: str
    value: str = ""
    dots: Sequence[Dot] = ()
    note: str = ""
    aside: str = ""
    together: bool = False

    @property
    def words(self) -> float:
        """Pixels of its lines of text."""
        return _LINE * (2 if self.note or self.aside else 1)

    @property
    def height(self) -> float:
        """Pixels."""
        levels = min(1, len(self.dots)) if self.together else len(self.dots)
        return self.words + _LANE * levels + _GAP


@dataclass(frozen=True)
class Scale:
    """Where values stand across a drawing, with a little room at both ends."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """How far a value is from the low end, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def place(self, value: float) -> str:
        """Where a value is drawn."""
        return at(0.02 + 0.96 * self.share(value))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that span a range: the first is not above `low`, the last not below `high`; about `most` steps."""
    # Values that are equal, or nearly, still need steps that floating point can tell apart.
    span = max(high - low, 1e-6 * max(abs(low), abs(high)))
    raw = (span if span > 1e-12 else 1.0) / most
    power: float = 10.0 ** math.floor(math.log10(raw))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, max(last, first + 1) + 1)]


def lanes(
    key: str,
    title: str,
    rows: Sequence[Lane],
    marks: Sequence[tuple[float, str]] = (),
    legend: Sequence[tuple[str, str]] = (),
) -> Drawing:
    """Lanes on one scale.

    Args:
        key: The drawing's name.
        title: What it shows, in words.
        rows: The lanes, top to bottom.
        marks: Lines that the dots are read against, with their meaning; those that are no numbers are left out.
        legend: Class names and words.
    """
    marks = [(value, words) for value, words in marks if math.isfinite(value)]
    values = [end for row in rows for one in row.dots if one.finite for end in one.ends]
    values += [value for value, _ in marks]
    steps = ticks(min(values, default=0.0), max(values, default=1.0))
    scale = Scale(steps[0], steps[-1])
    above = Drawing.legend_height(legend) + 6 if legend else 0.0
    top = above + 18.0 * len(marks)
    bottom = top + sum(row.height for row in rows) + 4
    drawing = Drawing(key, title, bottom + 22)
    drawing.legend(0, legend)
    _axis(drawing, scale, steps, top, bottom)
    _marks(drawing, scale, marks, above)
    for row in rows:
        for value, _ in marks if row.dots else ():
            place = scale.place(value)
            drawing.line(place, top + row.words, place, top + row.height - _GAP, "mark")
        _lane(drawing, scale, row, top)
        top += row.height
    return drawing


def _axis(drawing: Drawing, scale: Scale, steps: Sequence[float], top: float, bottom: float) -> None:
    for step in steps:
        drawing.line(scale.place(step), top, scale.place(step), bottom, "grid")
        drawing.text(scale.place(step), bottom + 17, f"{step:g}".replace("-", "−"), "soft", "middle")


def _marks(drawing: Drawing, scale: Scale, marks: Sequence[tuple[float, str]], above: float) -> None:
    """What each line means, beside its beginning. It goes on where dots stand: through words it could not be read."""
    for i, (value, words) in enumerate(marks):
        right = scale.share(value) > 1 / 2
        drawing.line(scale.place(value), above + 18 * i + 2, scale.place(value), above + 18 * i + 16, "mark")
        side = "end" if right else ""
        drawing.text(scale.place(value), above + 18 * i + 12, words, "soft", side, shift=-6 if right else 6)


def _lane(drawing: Drawing, scale: Scale, row: Lane, top: float) -> None:
    y = top + 14
    drawing.text(0, y, short(row.label, max(8, ROOM - len(row.value))), "name halo" if row.dots else "soft halo")
    if row.value:
        drawing.text(at(1), y, row.value, "halo", "end")
    if row.note or row.aside:
        y += _LINE
        drawing.text(0, y, short(row.note, max(8, ROOM + 4 - len(row.aside))), "soft halo")
        drawing.text(at(1), y, row.aside, "soft halo", "end")
    y += 12
    for one in row.dots:
        if one.finite:
            _dot(drawing, scale, one, y)
        y += 0 if row.together else _LANE


def _dot(drawing: Drawing, scale: Scale, one: Dot, y: float) -> None:
    kind = "whisker thin" if one.kind == "hollow" else "whisker"
    if one.low < one.high:
        drawing.line(scale.place(one.low), y, scale.place(one.high), y, kind)
        for end in (one.low, one.high):
            drawing.line(scale.place(end), y - 4, scale.place(end), y + 4, kind)
    if one.square:
        drawing.square(scale.place(one.value), y, f"dot {one.kind}", one.tip)
    else:
        drawing.dot(scale.place(one.value), y, f"dot {one.kind}", one.tip, 5 if one.low < one.high else 3.5)
