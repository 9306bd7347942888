"""A run as a page of text: what `seedbed show` prints, and Python where there is no notebook."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from seedbed.core import numbers
from seedbed.core.metric import Score
from seedbed.core.numbers import count, metric, percent, score, short, signed, signed_ends, things, typed
from seedbed.core.run import ClassScore, Comparison, Run
from seedbed.core.showing import clean

from .closer import closer_lines
from .facts import Judged, compared, judged, labels_seen, legs, lower_is_better, p_of, several_labels, worst_slices
from .lanes import ticks
from .outcome import stops
from .paid import paid_lines

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDTH = 80
_BAR = 30
_STRIP = 25
_MOST = 20
_COLOURS = {
    "passed": "green",
    "better": "green",
    "failed": "red",
    "worse": "red",
    "warning": "yellow",
    "waived": "yellow",
}
_FOUND = {"better": "better than {}", "worse": "worse than {}", "not distinguishable": "not distinguishable from {}"}


def plain(run: Run, folder: Path, width: int = WIDTH) -> str:
    """The page as text without colours, so many columns wide."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True, force_terminal=False, markup=False, highlight=False)
    tell(run, folder, console)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def tell(run: Run, folder: Path, console: Console) -> None:
    """Print the page: the verdict, where rows went, models, comparisons, classes, slices, checks, what is open."""
    from rich.padding import Padding
    from rich.text import Text

    of = judged(run)
    blocks: list[tuple[str, list[RenderableType]]] = [
        ("Where every row went", _rows(run, _solid(console))),
        ("What a row holds", [_grid(list(run.dataset.measures.items()))] if run.dataset.measures else []),
        (_ladder_title(run, of), _ladder(run, of) if of else []),
        ("Comparisons on the same rows, p after Holm’s correction", _comparisons(run, of) if of else []),
        ("Labels" if several_labels(run) else "Classes", _classes(run, of)),
        ("Slices on which it is worse than on the rest", _slices(of) if of else []),
        ("Checks and gates", _checks(run)),
        ("Open questions of the card", _listed(run.blanks)),
        ("Answers of the card about other data", _listed([one.question for one in run.stale])),
    ]
    for line in verdict(run):
        console.print(_coloured(line), soft_wrap=False)
    for title, shown in blocks:
        if shown:
            console.print()
            console.print(Text(clean(title), style="bold"))
            for one in shown:
                console.print(Padding(one, (0, 0, 0, 2)))
    console.print()
    for line in _places(run, folder):
        console.print(Text(line), soft_wrap=True)  # a path that is broken over lines cannot be copied


def verdict(run: Run) -> list[str]:
    """The run in a few lines: whether it passed, what stopped it, the books, the best model, the split."""
    blank = [stop for stop in run.stopped_by if stop.startswith("card: ")]
    lines = [f"{run.name}: {run.state} in {numbers.seconds(run.seconds)}"]
    lines += [f"  stopped by {reason}" for reason in (*stops(run), *blank)]
    lines += [f"  waived {waived.what}: {waived.reason}" for waived in run.waivers]
    lines += [
        rows_line(run),
        *best_lines(run),
        *paid_lines(run),
        *worth_lines(run),
        *_split_line(run),
        *_reads_line(run),
        *(f"sent to {one.to}: {one.told} ({one.why})" for one in run.sent),
    ]
    lines += closer_lines(run)
    lines += [f"notice: {notice}" for notice in run.notices]
    return [clean(typed(line)) for line in lines]


def rows_line(run: Run) -> str:
    """The books in a line, with what rejected most."""
    books = run.rows
    parts = {part: sum(reasons.values()) for part, reasons in books.rejected.items()}
    most = sorted((part for part in parts if parts[part]), key=lambda part: -parts[part])
    named = ", ".join(f"{part} {count(parts[part])}" for part in most[:4]) + (", …" if len(most) > 4 else "")
    made = f" + {count(books.made)} made" if books.made else ""
    why = f" ({named})" if named else ""
    return (
        f"rows: {count(books.read)} read{made} = {count(books.kept)} kept + {count(books.rejected_rows)} rejected{why}"
    )


def worth_lines(run: Run) -> list[str]:
    """Which parts help the cheap learner and which do not, where that was asked for."""
    told = run.ablation
    if told is None:
        return []
    found = [(part, part.difference) for part in told.parts if part.difference is not None]
    named = {
        what: ", ".join(f"{part.part} {signed(gain)}" for part, gain in found if part.verdict == what)
        for what in ("helps", "hurts", "not distinguishable")
    }
    words = {"helps": "parts that help", "hurts": "parts that hurt"}
    words["not distinguishable"] = "parts that make no difference that could not be chance for"
    untried = [f"{part.part} ({part.note})" for part in told.parts if part.difference is None]
    lines = [f"{words[what]} {told.learner} ({told.metric}): {parts}" for what, parts in named.items() if parts]
    return [*lines, *([f"parts that were not compared: {', '.join(untried)}"] if untried else [])]


def best_lines(run: Run) -> list[str]:
    """The best model's score on the rows that judge, and whether it beats the simplest model."""
    best, split, name = run.best_model, run.judging_split, run.metric
    found = best.scores.get(split, {}).get(name) if best else None
    if best is None or found is None:
        return []
    level, groups = numbers.level(run.intervals.get("level")), run.groups_in(split)
    of = f" in {things(groups, 'group')}" if groups else ""
    lines = [
        f"best model: {best.name}, {name} {score(found.value)} on {split} "
        f"({level} {numbers.interval(found)}, {things(found.n, 'row')}{of})"
    ]
    for c in run.comparisons:
        if c.b == best.name and c.split == split and c.metric == name:
            told = f"{signed(c.difference)}, {signed_ends(c)}"
            lines.append(f"  {_FOUND[c.verdict].format(c.a)} ({c.metric} {told})")
    return lines


def _split_line(run: Run) -> list[str]:
    if run.certificate is None:
        return []
    checked = run.certificate.verified
    whole = checked.get("rows") == checked.get("of")
    pairs, rows, of = (numbers.fact(checked.get(name)) for name in ("pairs_found", "rows", "of"))
    clean_or_not = "leaks" if not run.certificate.passed else "proven clean" if whole else "clean by a sample"
    among = f"all {of}" if whole else f"{rows} of {of}"
    what = "pair" if pairs == "1" else "pairs"
    group = run.certificate.group
    told = f"; {_kept_whole(group)}" if group else ""
    return [f"split: {clean_or_not} ({pairs} {what} among {among} held-out rows compared{told})"]


def _kept_whole(group: Mapping[str, Any]) -> str:
    """How many values of the column that keeps rows together stand in several splits."""
    of = f"{numbers.count(group['values'])} values of {group['column']}"
    return f"{numbers.count(group['straddle']) if group['straddle'] else 'none'} of {of} in several splits"


def _reads_line(run: Run) -> list[str]:
    return [f"test rows were read {run.test_reads_told}"] if run.test_reads else []


def _coloured(line: str) -> RenderableType:
    from rich.text import Text

    text = Text(line)
    for word, colour in _COLOURS.items():
        text.highlight_words([word], colour)
    return text


def _cell(words: str) -> RenderableType:
    return _coloured(clean(typed(words)))


def _solid(console: Console) -> bool:
    return console.encoding.lower().replace("-", "").startswith("utf")


def _grid(rows: Iterable[Sequence[str]], heads: Sequence[str] = (), right: Sequence[int] = ()) -> RenderableType:
    """A table without lines; `right` names the columns of numbers, which are never cut."""
    from rich.table import Table

    table = Table(box=None, show_header=bool(heads), pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    rows = list(rows)
    for place in range(len(rows[0])):
        number = place in right
        head = heads[place] if heads else ""
        table.add_column(head, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def _rows(run: Run, solid: bool) -> list[RenderableType]:
    whole = max(run.rows.read + run.rows.made, 1)
    full, gone = ("█", "▒") if solid else ("#", "x")

    def bar(left: int, change: int = 0) -> str:
        filled, ends = round(_BAR * left / whole), math.ceil(_BAR * change / whole)
        return full * (filled - (filled + ends > _BAR)) + gone * ends

    shown = [("read", count(run.rows.read), "", bar(run.rows.read))]
    for leg in legs(run):
        if leg.lost:
            shown.append((leg.part, f"-{count(leg.lost)}", percent(leg.lost, whole), bar(leg.after, leg.lost)))
        if leg.made:
            before = leg.after - leg.made
            shown.append((leg.part, f"+{count(leg.made)}", percent(leg.made, whole), bar(before, leg.made)))
    shown.append(("kept", count(run.rows.kept), percent(run.rows.kept, whole), bar(run.rows.kept)))
    return [_grid([(short(part, 24), *rest) for part, *rest in shown], right=(1, 2))]


def _ladder_title(run: Run, of: Judged | None) -> str:
    if of is None:
        return "Models"
    better = ", lower is better" if lower_is_better(of.metric) else ""
    return f"Models: {metric(of.metric)} on {short(of.split)} ({things(of.score.n, 'row')}{better})"


def _ladder(run: Run, of: Judged) -> list[RenderableType]:
    found = [(model, model.scores.get(of.split, {}).get(of.metric)) for model in run.models]
    ends = [end for _, one in found if one for end in (one.low, one.high) if math.isfinite(end)]
    steps = ticks(min(ends, default=0.0), max(ends, default=1.0))
    rows = [
        (
            short(model.name, 26),
            score(one.value) if one else "-",
            numbers.span(one) if one else "",
            _strip(one, steps[0], steps[-1]) if one else "",
            "best" if model.name == run.best else "",
        )
        for model, one in found[:_MOST]
    ]
    rows.append(("", "", "", f"{steps[0]:g}{'':{_STRIP - len(f'{steps[0]:g}{steps[-1]:g}')}}{steps[-1]:g}", ""))
    return [_grid(rows, right=(1, 2, 3)), *_left_out(len(found), "models")]


def _strip(of: Score, low: float, high: float) -> str:
    """A score and its interval on a line of characters."""
    if not all(map(math.isfinite, (of.low, of.value, of.high))):
        return " " * _STRIP

    def place(value: float) -> int:
        return min(_STRIP - 1, max(0, round((_STRIP - 1) * (value - low) / (high - low))))

    drawn = ["."] * _STRIP
    for i in range(place(of.low), place(of.high) + 1):
        drawn[i] = "="
    drawn[place(of.value)] = "o"
    return "".join(drawn)


def _comparisons(run: Run, of: Judged) -> list[RenderableType]:
    found = compared(run, of)
    if not found:
        return []
    return [_grid(map(_compared, found[:_MOST])), *_left_out(len(found), "comparisons")]


def _compared(c: Comparison) -> tuple[str, str]:
    told = f"{signed(c.difference)} ({signed_ends(c)}), {numbers.probability(p_of(c))}"
    return short(c.b, 26), f"{_FOUND[c.verdict].format(short(c.a, 26))}: {told}"


def _classes(run: Run, of: Judged | None) -> list[RenderableType]:
    labels = labels_seen(run)
    if not labels:
        return []
    before, data, made = run.dataset.labels_before, run.dataset.labels, run.dataset.labels_made
    judged_on = of.model.classes.get(of.split, {}) if of else {}
    rows = [
        (
            short(label, 30),
            *([count(before[label]) if label in before else "-"] if before else []),
            count(sum(split.get(label, 0) for split in data.values())),
            *([count(made.get(label, 0))] if made else []),
            *_of_label(judged_on.get(label)),
        )
        for label in labels[:_MOST]
    ]
    heads = (
        "label",
        *(["as read"] if before else []),
        "in dataset",
        *(["of it made"] if made else []),
        "F1",
        "judged on",
    )
    return [_grid(rows, heads, right=range(1, len(heads))), *_left_out(len(labels), "labels")]


def _of_label(found: ClassScore | None) -> tuple[str, str]:
    """F1 and on how many rows; of a label that none of them has there is nothing to say."""
    if found is None or not found.support:
        return "-", "0" if found else "-"
    return f"{score(found.f1.value)} ({numbers.span(found.f1)})", count(found.support)


def _slices(of: Judged) -> list[RenderableType]:
    rows = [
        (
            f"{short(one.by, 20)}: {short(one.value, 26)}",
            f"{score(one.score.value)} ({numbers.span(one.score)})",
            signed(one.difference) if one.difference is not None else "",
            things(one.score.n, "row"),
        )
        for one in worst_slices(of)
    ]
    return [_grid(rows, right=(1, 2, 3))] if rows else []


def _checks(run: Run) -> list[RenderableType]:
    rows = []
    for finding in run.findings[: 2 * _MOST]:
        reason = run.reason_to_waive(f"check {finding.check}") if finding.on_fail == "stop" else None
        failed = "waived" if reason else "failed" if finding.on_fail == "stop" else "warning"
        rows.append(("passed" if finding.passed else failed, finding.check, short(finding.message, 300)))
    for gate in run.gates[: 2 * _MOST]:
        state = "passed" if gate.passed else "waived" if gate.waived else "failed"
        asked = f"{gate.direction.replace('_', ' ')} {score(gate.limit)}"
        span = f" ({score(gate.low)}–{score(gate.high)})" if gate.low is not None and gate.high is not None else ""
        where = f"{gate.model or 'no model'} on {gate.split}"
        rows.append((state, f"gate {gate.metric}", f"{score(gate.value)}{span} of {where}; {asked} asked"))
    return [_grid(rows)] if rows else []


def _listed(texts: Sequence[str]) -> list[RenderableType]:
    return [_cell(f"- {short(text, 300)}") for text in texts[:_MOST]] + _left_out(len(texts), "questions")


def _places(run: Run, folder: Path) -> list[str]:
    named = ("report.html", "dataset", "models", "ledger")
    lines = [f"{PurePath(name).stem}: {folder / name}" for name in named if (folder / name).exists()]
    lines += [f"published: {place}" for place in run.published]
    return [clean(line) for line in lines + [f"not published: {place}" for place in run.unpublished]]


def _left_out(have: int, what: str) -> list[RenderableType]:
    return (
        [_cell(f"… and {count(have - _MOST)} more {what}; the report and run.json have them")] if have > _MOST else []
    )
