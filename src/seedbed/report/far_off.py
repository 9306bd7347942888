"""Figures of models that answer with numbers: answers against what is right, errors, errors by size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from seedbed.core import numbers
from seedbed.core.numbers import amount, count, short, signed, signed_ends, things
from seedbed.core.run import Distances, Run, SizePart

from .drawing import Drawing
from .facts import Judged
from .figure import Figure
from .lanes import Dot, Lane, lanes, ticks
from .plots import LEFT, SIDE, TOP, WIDTH

#: Right numbers that span so many times themselves are drawn on logarithmic axes.
_WIDE = 100.0
_FEWEST_SHARE = 0.02


def distances_of(of: Judged) -> Distances | None:
    """The best model's errors on the rows that judge."""
    return of.model.distances.get(of.split)


def scatter(run: Run, of: Judged) -> Figure | None:
    """Answers against what is right, a dot a row."""
    found = distances_of(of)
    if found is None:
        return None
    near, far = (f"off by at most {amount(end)}" for end in (found.half, found.most))
    logged = _logged(found.points)
    title = f"Answers of {short(of.model.name, 60)} against what is right, {things(len(found.points), 'row')}"
    drawing = Drawing("scatter", title, TOP + SIDE + 46 + 60, WIDTH)
    place = _axes(drawing, found.points, logged)
    for right, told in sorted(found.points, key=lambda point: abs(point[1] - point[0])):
        off = abs(told - right)
        kind, size = ("up", 3.0) if off <= found.half else ("point", 3.5) if off <= found.most else ("down", 5.0)
        x, y = LEFT + SIDE * place(right), TOP + SIDE * (1 - place(told))
        drawing.dot(x, y, f"dot {kind}", f"right {amount(right)}, answered {amount(told)}", size)
    legend = [("up", f"nearer half: {near}"), ("point", far), ("down", "the tenth that is furthest off")]
    for line, (kind, words) in enumerate(legend):
        y = TOP + SIDE + 52 + 20 * line
        drawing.dot(LEFT + 6, y, f"dot {kind}", size=(3.0, 3.5, 5.0)[line])
        drawing.text(LEFT + 20, y + 4, words, "soft")
    caption = "Each dot is a row: the right number across, the answer upwards. On the line, both are the same."
    if len(found.points) < of.score.n:
        caption += f" {count(len(found.points))} of {count(of.score.n)} rows, from the smallest number to the largest."
    if logged:
        caption += " Both axes are logarithmic."
    return Figure("scatter", caption, drawing)


def residuals(run: Run, of: Judged) -> Figure | None:
    """Rows by how far the answer is too low or too high."""
    found = distances_of(of)
    if found is None or not found.rows:
        return None
    high, floor = 150.0, TOP + 150.0
    title = f"Rows by answer of {short(of.model.name, 60)} minus right number"
    drawing = Drawing("residuals", title, floor + 44, WIDTH)
    most, wide = max(found.rows) or 1, SIDE / len(found.rows)
    last = len(found.rows) - 1
    for bar, rows in enumerate(found.rows):
        low, end = (signed(found.edges[bar + side]) for side in (0, 1))
        tip = f"{end} or less" if bar == 0 else f"{low} or more" if bar == last else f"{low} to {end}"
        tall = max(1.0, high * rows / most) if rows else 0.0
        drawing.rect(LEFT + bar * wide + 1, floor - tall, wide - 2, tall, "whole", f"{tip}: {things(rows, 'row')}")
    drawing.line(LEFT, floor, LEFT + SIDE, floor, "axis")
    drawing.line(LEFT + SIDE / 2, TOP, LEFT + SIDE / 2, floor, "mark")
    ends = (found.edges[0], 0.0, found.edges[-1])
    for share, value, anchor in zip((0.0, 0.5, 1.0), ends, ("", "middle", "end"), strict=True):
        drawing.text(LEFT + SIDE * share, floor + 16, tick(value), "soft", anchor)
    drawing.text(LEFT + SIDE / 2, floor + 34, "← too low    answer − right    too high →", "soft", "middle")
    caption = "Rows by error. Right of the line the answer is too high; the outermost bars hold what lies beyond."
    return Figure("residuals", caption, drawing)


def by_size(run: Run, of: Judged) -> Figure | None:
    """How far off answers are on average, by the size of the right number."""
    found = distances_of(of)
    if found is None or len(found.parts) < 2:
        return None
    rows = [
        Lane(
            sized(part),
            f"{amount(part.error.value)} ({amount(part.error.low)} to {amount(part.error.high)})",
            [Dot(part.error.value, part.error.low, part.error.high, square=True)],
            note=things(part.error.n, "row"),
            aside=f"{signed(part.bias.value)} on average",
        )
        for part in found.parts
    ]
    level = numbers.level(run.intervals.get("level"))
    title = f"Mean error of {short(of.model.name, 60)} by the size of the right number"
    caption = (
        f"How far off answers are on average (mean absolute error, with its {level}), by the size of the right number: "
        "parts of about as many rows each. At the right below, to which side."
    )
    return Figure("by_size", caption, lanes("by-size", title, rows, [(0.0, "no error")]))


def sized(part: SizePart) -> str:
    """The right numbers of a part."""
    return amount(part.low) if part.low == part.high else f"{amount(part.low)} to {amount(part.high)}"


def sided(found: Distances) -> str:
    """To which side answers are off, in a sentence; nothing where it cannot be told."""
    bias = found.bias
    if bias.low <= 0 <= bias.high:
        return "They are too high as much as too low, as far as these rows can tell."
    side = "high" if bias.value > 0 else "low"
    spread = f"{signed(bias.value)}, {signed_ends(bias)}"
    return f"They are too {side} on average ({spread})."


def worst_part(found: Distances) -> str:
    """The size of number at which answers are most off, in a sentence; nothing where that is no surprise."""
    ranked = sorted(found.parts, key=lambda part: part.error.value)
    if len(ranked) < 3 or ranked[-1].error.low <= ranked[len(ranked) // 2].error.high:
        return ""
    worst = ranked[-1]
    return f"Furthest off are numbers of {sized(worst)}: by {amount(worst.error.value)} on average."


def tick(value: float) -> str:
    """A number beside an axis, as short as can be: `120k`."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            power = 1e3 if unit == "k" else size
            return f"{value / power:.3g}{unit}".replace("-", numbers.MINUS)
    return amount(float(f"{value:.3g}"))


def _logged(points: Sequence[tuple[float, float]]) -> bool:
    """Whether numbers span so much that most would stand in a corner."""
    right = sorted(a for a, _ in points)
    if any(min(point) <= 0 for point in points):
        return False
    cut = int(len(right) * _FEWEST_SHARE)
    return right[len(right) - 1 - cut] > _WIDE * right[cut]


def _axes(drawing: Drawing, points: Sequence[tuple[float, float]], logged: bool) -> Callable[[float], float]:
    """The square with its diagonal; where a number stands on either axis, from 0 to 1."""
    values = [value for point in points for value in point]
    low, high = min(values), max(values)
    if logged:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        steps = [10.0**power for power in powers][:: max(1, len(powers) // 6)]
        start, end = math.log10(low), math.log10(high)
        steps = [step for step in steps if low <= step <= high]
    else:
        steps = ticks(low, high, 5)
        start, end = steps[0], steps[-1]

    def place(value: float) -> float:
        return ((math.log10(value) if logged else value) - start) / ((end - start) or 1.0)

    for step in steps:
        x, y = LEFT + SIDE * place(step), TOP + SIDE * (1 - place(step))
        drawing.line(x, TOP, x, TOP + SIDE, "grid")
        drawing.line(LEFT, y, LEFT + SIDE, y, "grid")
        drawing.text(x, TOP + SIDE + 16, tick(step), "soft", "middle")
        drawing.text(LEFT - 6, y + 4, tick(step), "soft", "end")
    drawing.path([(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], "chance")
    drawing.text(LEFT + SIDE / 2, TOP + SIDE + 34, "right", "soft", "middle")
    drawing.text(9, TOP + SIDE / 2, "answered", "soft", "middle", turn=-90)
    return place
