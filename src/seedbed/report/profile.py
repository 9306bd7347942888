"""The page of a profile: what stands out in sentences, then each column, the label, the texts, what hangs together."""

from __future__ import annotations

from pathlib import PurePath

from seedbed.core.numbers import count, percent, short, things
from seedbed.core.profile import ColumnFacts, DatasetProfile, LabelFacts, Spread
from seedbed.profile.measuring.summary import line_of, line_of_measure, number

from .bars import Bar, Segment, bars
from .drawing import Drawing
from .figure import Figure
from .page import page_of

#: Columns that are shown closely, labels that are drawn, texts whose words are shown.
_MOST_LABELS = 40
_SMALL_WIDE, _SMALL_HIGH = 132, 28
_RANKS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def render(found: DatasetProfile) -> str:
    """One HTML page that loads nothing and runs nothing; every text is escaped, and cut where it is very long.

    Returns:
        The page; it encodes as UTF-8.
    """
    table = found.whole
    texts = [one for one in table.columns if one.text and one.text.words]
    telling = [one for one in table.toward_label if one.beyond_chance]
    told: list[tuple[str, str, object]] = [
        ("verdict", "What stands out", True),
        ("columns", "Columns", table.columns),
        ("holds", "What a row holds", table.measures),
        ("label", "Label", table.label and table.label.counts),
        ("texts", "Texts", texts),
        ("together", "What hangs together", table.associations or telling),
        ("closely", "Columns, closely", table.columns),
        ("notes", "How it was measured", True),
    ]
    return page_of(
        "profile.html",
        told,
        title=PurePath(found.named).name or found.named or "profile",
        what="profile",
        d=found,
        table=table,
        texts=texts,
        telling=telling,
        look=[one.text for one in table.remarks if one.severity == "look"],
        note=[one.text for one in table.remarks if one.severity == "note"],
        ranks=_RANKS,
        line_of=line_of,
        line_of_measure=line_of_measure,
        number=number,
        small=small,
        label_figure=_label_figure(table.label) if table.label and table.label.counts else None,
    )


def small(one: ColumnFacts, place: int) -> Figure | None:
    """A column's spread, as small as fits into a table; none where there is nothing to draw."""
    spread = one.numbers.spread if one.numbers else one.text.characters if one.text else None
    if spread and any(spread.counts):
        return Figure(f"small-{place}", "", _histogram(f"small-{place}", spread, one.kind == "text"))
    if one.kind in ("category", "boolean", "date", "amount") and one.filled:
        counts = (
            list(one.dates.years.items()) if one.dates else [(value.value, value.rows) for value in one.values.top[:12]]
        )
        if len(counts) > 1:
            return Figure(f"small-{place}", "", _steps(f"small-{place}", counts[:40]))
    return None


def _histogram(key: str, spread: Spread, lengths: bool) -> Drawing:
    what = "characters" if lengths else "values"
    title = f"{what} from {number(spread.edges[0])} to {number(spread.edges[-1])}, in {len(spread.counts)} classes"
    tips = [
        f"{number(low)} to {number(high)}: {count(n)}"
        for low, high, n in zip(spread.edges[:-1], spread.edges[1:], spread.counts, strict=True)
    ]
    return _drawn(key, title, list(spread.counts), tips)


def _steps(key: str, counts: list[tuple[str, int]]) -> Drawing:
    title = f"rows of {things(len(counts), 'value')}"
    return _drawn(key, title, [n for _, n in counts], [f"{short(value, 40)}: {count(n)}" for value, n in counts])


def _drawn(key: str, title: str, heights: list[int], tips: list[str]) -> Drawing:
    drawing = Drawing(key, title, _SMALL_HIGH, _SMALL_WIDE)
    most, wide = max(heights), _SMALL_WIDE / len(heights)
    for place, (n, tip) in enumerate(zip(heights, tips, strict=True)):
        if n:
            high = max(1.5, _SMALL_HIGH * n / most)
            top, broad = round(_SMALL_HIGH - high, 2), max(1.0, round(wide - 1, 2))
            drawing.rect(round(place * wide, 2), top, broad, round(high, 2), "whole", tip)
    return drawing


def _label_figure(label: LabelFacts) -> Figure:
    total = sum(one.rows for one in label.counts) + label.other
    shown = label.counts[:_MOST_LABELS]
    rows = [
        Bar(
            one.value,
            f"{count(one.rows)} ({percent(one.rows, total)})",
            [Segment(0, one.rows, "kept", things(one.rows, "row"))],
        )
        for one in shown
    ]
    rest = total - sum(one.rows for one in shown)
    if rest:
        rows.append(
            Bar(
                "all others",
                f"{count(rest)} ({percent(rest, total)})",
                [Segment(0, rest, "whole", things(rest, "row"), True)],
            )
        )
    drawn = bars("label", f"rows by label: {count(label.labels)} labels", rows)
    return Figure("label", f"Rows by label. Evenness {label.evenness:.3f} (1 where all are equal).", drawn)
