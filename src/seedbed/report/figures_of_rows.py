"""Figures of rows, whatever models make of them: where they went, labels, numbers, lengths; and where time went."""

from __future__ import annotations

import math
from collections.abc import Iterator

from seedbed.core.numbers import amount, count, percent, seconds, short, things
from seedbed.core.run import Run

from .bars import Bar, Segment, bars
from .drawing import Drawing, at
from .facts import bins, labels_seen, legs, several_labels
from .figure import Figure

MOST_LABELS = 20
"""Labels that a bar chart shows; the table beside it lists more."""
_MOST_STAGES = 40


def way(run: Run) -> Figure:
    """The waterfall from rows read to rows kept; parts that rejected and made nothing are left out."""
    read, kept = run.rows.read, run.rows.kept
    rows = [Bar("read", things(read, "row"), [Segment(0, read, "whole", f"{things(read, 'row')} read")])]
    for leg in legs(run):
        if leg.lost:
            lost = Segment(leg.after, leg.lost, "lost", f"{count(leg.lost)} rejected by {short(leg.part, 60)}", True)
            rest = Segment(0, leg.after, "rest", f"{things(leg.after, 'row')} left")
            rows.append(Bar(leg.part, f"−{count(leg.lost)} ({percent(leg.lost, read)})", [rest, lost]))
        if leg.made:
            start = leg.after - leg.made
            made = Segment(start, leg.made, "made", f"{count(leg.made)} made by {short(leg.part, 60)}", True)
            rows.append(Bar(leg.part, f"+{count(leg.made)} made", [Segment(0, start, "rest", "rows so far"), made]))
    rows.append(Bar("kept", things(kept, "row"), [Segment(0, kept, "kept", f"{things(kept, 'row')} kept")]))
    title = f"Waterfall: {things(read, 'row')} read, {count(run.rows.rejected_rows)} rejected, {count(kept)} kept"
    caption = (
        "Rows left after each part; the striped end of a bar is what the part rejected. Shares are of the rows read."
    )
    return Figure("rows", caption, bars("way", title, rows))


def classes(run: Run) -> Figure | None:
    """Rows of each label as read, and in the dataset by split."""
    data, labels = run.dataset, labels_seen(run)
    if not labels:
        return None
    rows = []
    for label in labels[:MOST_LABELS]:
        before = data.labels_before.get(label)
        pieces = list(_by_split(run, label))
        start, made = sum(data.labels[split].get(label, 0) for split in data.labels), data.labels_made.get(label, 0)
        read = [Segment(0, before, "open", f"as read: {things(before, 'row')}")] if before else []
        value = f"{count(before)} → {count(start)}" if before is not None else count(start)
        both = (read, pieces) if data.labels_before else (pieces, ())
        rows.append(Bar(label, f"{value}, {count(made)} made" if made else value, *both))
    legend = [
        *([("open", "as read")] if data.labels_before else []),
        *((f"split-{min(i, 2)}", short(name, 14)) for i, name in enumerate(data.labels)),
    ]
    caption = "Rows of each label. Upper bar: as read, before any step. Lower bar: in the dataset, split by split."
    if several_labels(run):
        caption = "Rows that carry each label, among others or alone, split by split."
    if data.labels_made:
        legend.append(("made", "made"))
        caption += " Striped: rows of train that were made."
    if len(labels) > MOST_LABELS:
        caption += f" The {MOST_LABELS} most frequent of {count(len(labels))} labels."
    return Figure("classes", caption, bars("classes", "Rows by label, as read and in the dataset", rows, legend))


def target(run: Run) -> Figure | None:
    """Rows of each split by the size of their number, as shares of the split."""
    told = run.dataset.numbers
    if told is None:
        return None
    rows = []
    for bar, (low, high) in enumerate(zip(told.edges[:-1], told.edges[1:], strict=True)):
        n = [(name, bars_[bar], sum(bars_)) for name, bars_ in told.rows.items() if sum(bars_)]
        shares = [percent(one / of) for _, one, of in n]
        pieces, start = [], 0.0
        for place, (name, one, of) in enumerate(n):
            tip = f"{short(name, 40)}: {things(one, 'row')}, {percent(one / of)}"
            pieces.append(Segment(start, one / of, f"split-{min(place, 2)}", tip))
            start += one / of
        rows.append(Bar(f"{amount(low)} to {amount(high)}", " · ".join(shares), pieces))
    legend = [(f"split-{min(i, 2)}", short(name, 14)) for i, name in enumerate(told.rows)]
    middle = ", ".join(f"{name} {amount(value)}" for name, value in told.medians.items())
    caption = (
        f"Rows by {short(told.column, 40)}, as shares of their split, one beside the other: splits that are alike have "
        f"bars of equal parts. Medians: {middle}."
    )
    title = f"Rows by {short(told.column, 40)}, by split"
    return Figure("target", caption, bars("target", title, rows, legend))


def _by_split(run: Run, label: str) -> Iterator[Segment]:
    """The rows of a label, a piece for each split; those of train that were made are a piece of their own."""
    start = 0
    for i, (split, by_label) in enumerate(run.dataset.labels.items()):
        n, kind = by_label.get(label, 0), f"split-{min(i, 2)}"
        made = min(n, run.dataset.labels_made.get(label, 0)) if split == "train" else 0
        told = f"{short(split, 40)}: {things(n, 'row')}"
        yield Segment(start, n - made, kind, f"{told}, {count(made)} of them made" if made else told)
        if made:
            yield Segment(start + n - made, made, "made", f"{short(split, 40)}: {things(made, 'made row')}", True)
        start += n


def timings(run: Run) -> Figure | None:
    """Seconds by stage."""
    if not run.timings:
        return None
    rows = [
        Bar(name, seconds(taken), [Segment(0, max(0.0, taken), "whole", f"{short(name, 60)}: {seconds(taken)}")])
        for name, taken in list(run.timings.items())[:_MOST_STAGES]
    ]
    caption = f"Seconds by stage; the whole run took {seconds(run.seconds)}"
    return Figure("timings", caption, bars("timings", "Seconds by stage", rows))


def lengths(run: Run) -> Figure | None:
    """Histogram of text lengths: as read wide and open, in the dataset narrow and filled."""
    found, told = bins(run), run.dataset.lengths
    if not found or told is None or not sum(told.before) + sum(told.after):
        return None
    edges, as_read = told.edges, any(told.before)
    most = max((max(before, after) for _, before, after, _ in found), default=0) or 1
    title = f"Rows by length of text in characters, {'as read and ' if as_read else ''}in the dataset"
    drawing = Drawing("lengths", title, 236)
    made = [("made", "in the dataset, made")] if any(told.made) else []
    drawing.legend(0, [*([("open", "as read (wide)")] if as_read else []), ("kept", "in the dataset"), *made])
    wide, floor = 1 / max(1, len(found)), 206
    every = math.ceil(len(found) / 6)
    drawing.line(0, floor, "100%", floor, "axis")
    for i, (spans, before, after, ours) in enumerate(found):
        tip = f"{spans} characters: {f'{count(before)} as read, ' if as_read else ''}{count(after)} in the dataset"
        tip += f", {count(ours)} of them made" if ours else ""
        for rows, kind, margin in ((before, "open", 0.06), (after - ours, "kept", 0.24)):
            high = 170 * rows / most
            drawing.rect(at((i + margin) * wide), floor - high, at((1 - 2 * margin) * wide), high, kind, tip)
        if ours:
            top, high = floor - 170 * after / most, 170 * ours / most
            drawing.hatched(at((i + 0.24) * wide), top, at(0.52 * wide), high, "made", tip)
        if i % every == 0:
            drawing.text(at(i * wide), floor + 18, count(edges[i]), "soft")
    about = f"“{short(told.column, 40)}”" if told.column else "the text"
    caption = f"Rows by length of {about} in characters. The axis names the shortest length of a bar; the last is open."
    if made:
        caption += " Striped: rows that were made."
    return Figure("lengths", caption, drawing)
