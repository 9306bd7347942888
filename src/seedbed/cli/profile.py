"""`seedbed profile`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.core import numbers
from seedbed.core.numbers import count, percent, short, things, typed

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.core.profile import ColumnFacts, DatasetProfile, Estimate, TableProfile
    from seedbed.flow.profiling.files import Asked

_WIDTH = 80
_NAME = 22
_MOST_COLUMNS, _MOST = 60, 12
_BARS = " ▁▂▃▄▅▆▇█"
_BAR = 24
#: What everybody expects of a file.
_USUAL = (("delimiter", ","), ("quote", '"'))


def profile_table(file: str, asked: Asked, *, split: str | None, html: Path | None, as_json: bool) -> None:
    """Print what a file or a run's dataset looks like, or write the page."""
    let_ctrl_c_through()
    from dataclasses import replace

    from seedbed.flow.profiling.profile import profile

    found = profile(file, replace(asked, progress=shown_on()))
    if split is not None:
        found = found.only(split)
    if html is not None:
        from seedbed.flow.versions.pages import write_page
        from seedbed.report.profile import render

        write_page(html, render(found))
    if as_json:
        say(json.dumps(found.model_dump(mode="json"), indent=1, ensure_ascii=False))
        return
    say("\n".join(map(typed, told(found))))
    if html is not None:
        say(f"\npage: {html}")


def told(found: DatasetProfile) -> list[str]:
    """What was found, in lines: sentences first, numbers after."""
    table = found.whole
    how = ", ".join(f"{what} {value}" for what, value in found.found.items() if (what, value) not in _USUAL)
    splits = ", ".join(f"{name} {count(one.rows)}" for name, one in found.splits.items())
    more = f" ({splits or how})" if splits or how else ""
    return [
        *_wrapped(f"{found.named}: {_counted(table.rows, 'row')}, {_columns_of(table)}{more}"),
        *_titled("look at", [one.text for one in table.remarks if one.severity == "look"]),
        *_titled("good to know", [one.text for one in table.remarks if one.severity == "note"]),
        *_table(table),
        *_measures(table),
        *_label(table),
        *_texts(table),
        *_together(table),
        *_titled("notes", table.notes),
    ]  # fmt: skip


def _columns_of(table: TableProfile) -> str:
    return _counted(len(table.columns) + len(table.left_out), "column")


def _counted(n: int, what: str) -> str:
    return f"{count(n)} {what}{'' if n == 1 else 's'}"


def _titled(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield from ("", title)
        for sentence in sentences:
            yield from _wrapped(sentence, indent="  ", hang="  ")


def _wrapped(text: str, *, indent: str = "", hang: str = "") -> list[str]:
    lines = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hang,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines or [""]


def _table(table: TableProfile) -> Iterator[str]:
    if not table.columns:
        return
    yield from ("", f"{'column':<{_NAME}} {'kind':<9} {'missing':>8} {'distinct':>10}  values")
    for one in table.columns[:_MOST_COLUMNS]:
        missing = percent(one.missing, one.rows) if one.missing else "0"
        first = f"{short(one.name, _NAME):<{_NAME}} {one.kind:<9} {missing:>8} {_about(one.distinct):>10}  "
        for place, line in enumerate(values_of(one)):
            yield (first if not place else " " * len(first)) + line
    yield from _more(len(table.columns), _MOST_COLUMNS, "columns")


def _measures(table: TableProfile) -> Iterator[str]:
    from seedbed.profile.measuring.summary import line_of_measure

    if table.measures:
        yield from ("", "what a row holds")
        for one in table.measures:
            yield from _wrapped(f"{one.name}: {line_of_measure(one, table.rows)}", indent="  ", hang="  ")


def values_of(one: ColumnFacts) -> list[str]:
    """What stands in a column, in a line or two."""
    from seedbed.profile.measuring.summary import line_of

    lines = [line_of(one)]
    if one.numbers and one.numbers.spread:
        counts = one.numbers.spread.counts
        most = max(counts, default=0)
        if most:
            lines.append("".join(_BARS[-(-8 * n // most)] for n in counts))
    return lines


def _about(found: Estimate) -> str:
    return count(found.value) if found.exact else f"~{count(found.value)}"


def _label(table: TableProfile) -> Iterator[str]:
    label = table.label
    if label is None or not label.counts:
        return
    total = sum(one.rows for one in label.counts) + label.other
    yield from ("", f"label {short(label.column, 40)}: {count(label.labels)} values, "
                    f"evenness {numbers.score(label.evenness)}, largest over smallest {label.ratio:,.1f}")  # fmt: skip
    most = label.counts[0].rows
    for one in label.counts[:_MOST]:
        bar = "█" * max(1, round(_BAR * one.rows / most))
        words = ", ".join(word.word for word in table.label_words.get(one.value, ())[:4])
        yield f"  {short(one.value, _NAME):<{_NAME}} {count(one.rows):>9} {percent(one.rows, total):>8}  {bar}"
        if words:
            yield f"  {'':<{_NAME}} words: {short(words, 52)}"
    yield from _more(len(label.counts), _MOST, "labels")


def _texts(table: TableProfile) -> Iterator[str]:
    for one in table.columns:
        if one.text is None or one.text.words is None:
            continue
        text = one.text
        assert text.vocabulary is not None
        yield from ("", f"texts of {short(one.name, 40)}")
        for name, spread in (("characters", text.characters), ("words", text.words), ("tokens", text.tokens)):
            if spread:
                yield (f"  {name:<11} median {count(spread.median):>6}, 5 % below {count(spread.at(0.05)):>5}, "
                       f"5 % above {count(spread.at(0.95)):>6}, longest {count(spread.high)}")  # fmt: skip
        once = f", {percent(text.once.value)} of them once" if text.once else ""
        yield f"  {things(text.total_words, 'word')}, {_about(text.vocabulary)} different{once}"
        yield from _wrapped(
            "words: " + ", ".join(f"{short(word.value, 16)} {count(word.rows)}" for word in text.top_words[:8]),
            indent="  ",
            hang="  ",
        )
        if text.languages:
            told = ", ".join(f"{language.language} {percent(language.share.value)}" for language in text.languages[:6])
            yield from _wrapped(
                f"languages: {told} (of {things(text.languages[0].share.of, 'text')})", indent="  ", hang="  "
            )
        if text.rows:
            yield from _wrapped(
                "texts with " + ", ".join(f"{what} {percent(rows, one.filled)}" for what, rows in text.rows.items()),
                indent="  ",
                hang="  ",
            )


def _together(table: TableProfile) -> Iterator[str]:
    if table.associations:
        yield from ("", "columns that hang together")
    for one in table.associations[:_MOST]:
        how = f"Cramér’s V {numbers.score(one.value)}"
        if one.low is not None and one.high is not None:
            how = f"r {numbers.signed(one.value)} ({numbers.signed_ends(one)})"
            how += f", of ranks {numbers.signed(one.spearman)}" if one.spearman is not None else ""
        yield f"  {short(one.a, 20)} · {short(one.b, 20)}: {how}"
    telling = [one for one in table.toward_label if one.beyond_chance]
    if telling and table.label:
        yield from ("", f"what says something about {short(table.label.column, 40)} (share of its entropy)")
    for toward in telling[:_MOST]:
        yield f"  {short(toward.column, 30):<30} {percent(toward.share):>8}  {numbers.probability(toward.p_holm)}"
    yield from _more(len(telling), _MOST, "columns")


def _more(have: int, shown: int, what: str) -> Iterable[str]:
    return [f"  … and {count(have - shown)} more {what} (--json has them)"] if have > shown else []
