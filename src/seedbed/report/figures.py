"""The report's figures. Each says in words what it shows, and has a table beside it with the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from seedbed.core.metric import Score
from seedbed.core.numbers import count, metric, percent, score, scored, seconds, short, signed
from seedbed.core.run import Run

from .drawing import Drawing, at
from .facts import Judged, bins, labels_seen, legs

MOST_LABELS = 20
"""Labels that a bar chart shows; the table beside it lists more."""
MOST_CELLS = 60
"""Labels up to which a confusion matrix is drawn."""


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


def bars(key: str, title: str, rows: Sequence[Bar]) -> Markup:
    """Horizontal bars on one scale that starts at zero."""
    whole = max((p.start + p.width for row in rows for p in (*row.pieces, *row.second)), default=0) or 1
    heights = [50 if row.second else 38 for row in rows]
    drawing = Drawing(key, title, sum(heights))
    top = 0
    for row, height in zip(rows, heights, strict=True):
        drawing.text(0, top + 13, short(row.label), "name")
        drawing.text(at(1), top + 13, row.value, "soft", "end")
        for y, pieces in ((top + 19, row.pieces), (top + 32, row.second)):
            for piece in pieces:
                draw = drawing.hatched if piece.hatched else drawing.rect
                draw(at(piece.start / whole), y, at(piece.width / whole), 12, piece.kind, piece.tip)
        top += height
    return drawing.markup()


def way(run: Run) -> Markup:
    """The waterfall from rows read to rows kept; parts that rejected and made nothing are left out."""
    read, kept = run.rows.read, run.rows.kept
    rows = [Bar("read", f"{count(read)} rows", [Segment(0, read, "whole", f"{count(read)} rows read")])]
    for leg in legs(run):
        if leg.lost:
            lost = Segment(leg.after, leg.lost, "lost", f"{count(leg.lost)} rejected by {leg.part}", hatched=True)
            rest = Segment(0, leg.after, "rest", f"{count(leg.after)} rows left")
            rows.append(Bar(leg.part, f"−{count(leg.lost)} ({percent(leg.lost, read)})", [rest, lost]))
        if leg.made:
            made = Segment(
                leg.after - leg.made, leg.made, "made", f"{count(leg.made)} made by {leg.part}", hatched=True
            )
            rest = Segment(0, leg.after - leg.made, "rest", "rows so far")
            rows.append(Bar(leg.part, f"+{count(leg.made)} made", [rest, made]))
    rows.append(Bar("kept", f"{count(kept)} rows", [Segment(0, kept, "kept", f"{count(kept)} rows kept")]))
    title = f"Waterfall: {count(read)} rows read, {count(run.rows.rejected_rows)} rejected, {count(kept)} kept"
    return bars("way", title, rows)


def classes(run: Run) -> Markup:
    """Rows of each label as read, and in the dataset by split."""
    data = run.dataset
    rows = []
    for label in labels_seen(run)[:MOST_LABELS]:
        before = data.labels_before.get(label)
        pieces, start = [], 0
        for i, (split, labels) in enumerate(data.labels.items()):
            n = labels.get(label, 0)
            pieces.append(Segment(start, n, f"split-{min(i, 2)}", f"{split}: {count(n)} rows"))
            start += n
        read = [Segment(0, before, "open", f"as read: {count(before)} rows")] if before else []
        value = f"{count(before)} → {count(start)}" if before is not None else count(start)
        rows.append(Bar(label, value, read, pieces))
    return bars("classes", "Rows by label: as read above, in the dataset by split below", rows)


def timings(run: Run) -> Markup:
    """Seconds by stage."""
    rows = [
        Bar(name, seconds(taken), [Segment(0, max(0.0, taken), "whole", f"{name}: {seconds(taken)}")])
        for name, taken in run.timings.items()
    ]
    return bars("timings", "Seconds by stage", rows)


def lengths(run: Run) -> Markup:
    """Histogram of text lengths: as read wide and open, in the dataset narrow and filled."""
    found = bins(run)
    edges = run.dataset.lengths.edges if run.dataset.lengths else ()
    most = max((max(before, after) for _, before, after in found), default=0) or 1
    drawing = Drawing("lengths", "Rows by length of text in characters, as read and in the dataset", 210)
    wide = 1 / max(1, len(found))
    every = math.ceil(len(found) / 6)
    drawing.line(0, 180, at(1), 180, "axis")
    for i, (spans, before, after) in enumerate(found):
        tip = f"{spans} characters: {count(before)} as read, {count(after)} in the dataset"
        for rows, kind, margin in ((before, "open", 0.06), (after, "kept", 0.24)):
            high = 170 * rows / most
            drawing.rect(at((i + margin) * wide), 180 - high, at((1 - 2 * margin) * wide), high, kind, tip)
        if i % every == 0:
            drawing.text(at(i * wide), 198, count(edges[i]), "soft")
    return drawing.markup()


@dataclass(frozen=True)
class Whisker:
    """A value with its interval."""

    label: str
    value: float
    low: float
    high: float
    words: str
    square: bool = False


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
        return at(0.015 + 0.97 * self.share(value))


def whiskers(
    key: str,
    title: str,
    groups: Sequence[tuple[str, Sequence[Whisker]]],
    marks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Dots with intervals on one scale, in groups; `marks` are lines that they are read against, with their meaning."""
    marks = [(value, words) for value, words in marks if math.isfinite(value)]
    values = [v for _, rows in groups for w in rows for v in (w.low, w.value, w.high) if math.isfinite(v)]
    values += [value for value, _ in marks]
    steps = ticks(min(values, default=0.0), max(values, default=1.0))
    scale = Scale(steps[0], steps[-1])
    y = 18.0 * len(marks)
    bottom = y + sum(22 + 34 * len(rows) for _, rows in groups) + 4
    drawing = Drawing(key, title, bottom + 22)
    for step in steps:
        drawing.line(scale.place(step), y, scale.place(step), bottom, "grid")
        drawing.text(scale.place(step), bottom + 17, f"{step:g}".replace("-", "−"), "soft", "middle")
    for i, (value, words) in enumerate(marks):
        right = scale.share(value) > 1 / 2
        drawing.line(scale.place(value), 18 * i + 4, scale.place(value), bottom, "mark")
        drawing.text(scale.place(value), 18 * i + 12, words, "soft", "end" if right else "", shift=-6 if right else 6)
    for name, rows in groups:
        drawing.text(0, y + 17, short(name, 44), "name halo")
        y += 22
        for row in rows:
            _whisker(drawing, scale, row, y)
            y += 34
    return drawing.markup()


def _whisker(drawing: Drawing, scale: Scale, row: Whisker, y: float) -> None:
    words = f"{short(row.label, 17)} {row.words}"
    if not all(math.isfinite(v) for v in (row.low, row.value, row.high)):
        drawing.text(0, y + 13, words, "halo")
        return
    drawing.line(scale.place(row.low), y + 24, scale.place(row.high), y + 24, "whisker")
    for end in (row.low, row.high):
        drawing.line(scale.place(end), y + 19, scale.place(end), y + 29, "whisker")
    (drawing.square if row.square else drawing.dot)(scale.place(row.value), y + 24, "point")
    share = scale.share(row.value)
    # The words stand over the whisker; near an end of the scale they grow away from it.
    if share < 1 / 3:
        drawing.text(scale.place(row.low), y + 13, words, "halo")
    elif share > 2 / 3:
        drawing.text(scale.place(row.high), y + 13, words, "halo", "end")
    else:
        drawing.text(scale.place(row.value), y + 13, words, "halo", "middle")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that span a range: the first is not above `low`, the last not below `high`; about `most` steps."""
    # Values that are equal, or nearly, still need steps that floating point can tell apart.
    span = max(high - low, 1e-6 * max(abs(low), abs(high)))
    raw = (span if span > 1e-12 else 1.0) / most
    power: float = 10.0 ** math.floor(math.log10(raw))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, max(last, first + 1) + 1)]


def ladder(run: Run, of: Judged) -> Markup:
    """Every model's score with its interval, split by split, on one scale."""
    groups = []
    for model in run.models:
        rows = [
            whisker(split, scores[of.metric], square=split == of.split)
            for split, scores in model.scores.items()
            if of.metric in scores
        ]
        groups.append((model.name, rows))
    sign = {"at_least": "at least", "at_most": "at most"}
    lines = [
        (gate.limit, f"gate on {short(gate.split, 12)}: {sign[gate.direction]} {score(gate.limit)}")
        for gate in run.gates
        if gate.metric == of.metric
    ]
    return whiskers("ladder", f"{metric(of.metric)} of every model with its interval", groups, lines)


def whisker(label: str, of: Score, *, square: bool = False) -> Whisker:
    """A score as a whisker."""
    return Whisker(label, of.value, of.low, of.high, scored(of), square)


def differences(run: Run) -> Markup:
    """The differences between models, against zero."""
    groups: dict[str, list[Whisker]] = {}
    for c in run.comparisons:
        row = Whisker(metric(c.metric), c.difference, c.low, c.high, signed(c.difference), c.split == "test")
        groups.setdefault(f"{short(c.b, 16)} against {short(c.a, 16)}, {short(c.split, 10)}", []).append(row)
    return whiskers(
        "differences",
        "Differences between models with their intervals",
        list(groups.items()),
        [(0.0, "no difference")],
    )


def leakage(run: Run) -> Markup | None:
    """The honest and the naive score on one scale."""
    claim = run.leakage
    if claim is None:
        return None
    rows = [whisker("honest", claim.honest, square=True), whisker("naive", claim.naive)]
    return whiskers("leak", f"{metric(claim.metric)}: honest and naive", [(claim.model, rows)])


def heat_map(of: Judged) -> Markup | None:
    """The confusion matrix, shaded by the share of each true label's rows; nothing where there are too many labels."""
    labels, cells = of.labels, of.confusion
    if not 0 < len(labels) <= MOST_CELLS:
        return None
    size = 72 if len(labels) <= 5 else 40 if len(labels) <= 12 else 15
    slanted = size < 72
    left, top = (
        max(64, 20 + 7 * max(len(short(label, 18)) for label in labels)),
        (100 if size < 40 else 130) if slanted else 44,
    )
    title = f"Confusion matrix of {of.model.name} on {of.split}: rows are the truth, columns the prediction"
    wide, high = left + size * len(labels) + (90 if slanted else 2), top + size * len(labels) + 2
    drawing = Drawing("confusion", title, high, wide)
    drawing.text(left, 14, "predicted →", "soft")
    drawing.text(left - 10, top - 8, "truth ↓", "soft", "end")
    for i, (label, row) in enumerate(zip(labels, cells, strict=True)):
        y = top + i * size
        drawing.text(left - 10, y + size / 2 + 4, short(label, 18), "tiny" if size < 40 else "", "end")
        if slanted:
            drawing.text(left + (i + 0.6) * size, top - 8, short(label, 18), "tiny" if size < 40 else "", turn=-45)
        else:
            drawing.text(left + (i + 0.5) * size, top - 8, short(label, 10), anchor="middle")
        for j, n in enumerate(row):
            _heat_cell(drawing, (left + j * size, y, size), n, sum(row), f"{label} taken for {labels[j]}")
    return drawing.markup()


def shade(n: int, of: int) -> int:
    """Step of the heat scale, from 0 (nothing) to 7 (all)."""
    return 0 if not n or not of else 1 + min(6, int(7 * n / of))


def _heat_cell(drawing: Drawing, square: tuple[float, float, float], n: int, of: int, tip: str) -> None:
    x, y, size = square
    step = shade(n, of)
    drawing.rect(x, y, size, size, f"heat h{step}", f"{tip}: {count(n)} of {count(of)}")
    if size >= 40:
        drawing.text(x + size / 2, y + size / 2 + (0 if size >= 72 else 5), count(n), f"t{step} name", "middle")
    if size >= 72:
        drawing.text(x + size / 2, y + size / 2 + 18, percent(n, of), f"t{step}", "middle")
