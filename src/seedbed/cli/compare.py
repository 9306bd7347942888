"""`seedbed compare`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.core import numbers
from seedbed.core.numbers import count, things, typed

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.core.compared import Compared, ComparedModel, ComparedPreference
    from seedbed.core.run import Comparison

_WIDTH = 80
#: Rows that are shown side by side, and characters of a text there.
_ROWS, _SHORT = 2, 140


def show_compared(named: Sequence[str], *, metric: str | None, out: Path | None, as_json: bool) -> None:
    """Print models of runs side by side, and which are better on the same rows; or write the page, too."""
    let_ctrl_c_through()
    from seedbed.flow.versions.compare import compare

    found = compare(*named, metric=metric, progress=shown_on())
    if out is not None:
        from seedbed.flow.versions.pages import write_page
        from seedbed.report.compared import render

        write_page(out, render(found))
    if as_json:
        say(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(typed, told(found))))
        if out is not None:
            say(f"\npage: {out}")


def told(found: Compared) -> list[str]:
    """The comparison, in lines of at most 80 columns (names stay whole)."""
    lines = [f"{run.letter}  {run.name}  {run.id}  {run.started[:16].replace('T', ' ')}" for run in found.runs]
    paired = ["", *_paired(found)] if found.comparisons else []
    return [*lines, "", *_table(found), *paired, *_preferred(found), *_beside(found), *_why_not(found)]


def _table(found: Compared) -> Iterator[str]:
    """Every model, one of a name below the other."""
    names = list(dict.fromkeys(model.model for model in found.models))
    width = max([len(name) for name in names] + [5]) + 2
    yield f"{'model':<{width}}run  {numbers.metric(found.metric)}"
    for name in names:
        shown = name
        for model in found.models:
            if model.model == name:
                yield f"{shown:<{width}}{model.run}    {_scored(model, found.metric)}"
                shown = ""


def _scored(model: ComparedModel, metric: str) -> str:
    score = model.scores.get(metric)
    rows = f" on {things(score.n, f'{model.split} row', f'{model.split} rows')}" if score else ""
    best = ", the best of its run" if model.best else ""
    return f"{numbers.scored(score)}{rows}{best}"


def _paired(found: Compared) -> Iterator[str]:
    pairs = [pair for pair in found.pairs if pair.why_not is None]
    rows = ", ".join(f"{count(pair.rows)} of {pair.a} and {pair.b}" for pair in pairs)
    whole = ", by groups of rows that belong together" if any(one.groups for one in found.comparisons) else ""
    yield from _wrapped(
        f"on the same test rows ({rows}){whole}, p after Holm's correction over "
        f"{things(len(found.comparisons), 'comparison')}:"
    )
    for one in found.comparisons:
        yield from _wrapped(_difference(one), indent=2, hang=2)
    for unlike in dict.fromkeys(pair.unlike for pair in pairs if pair.unlike):
        yield from _wrapped(f"beware: {unlike}", hang=2)


def _difference(one: Comparison) -> str:
    p = numbers.probability(one.p if one.p_holm is None else one.p_holm)
    than = "from" if one.verdict == "not distinguishable" else "than"
    ends = numbers.signed_ends(one)
    difference = f"{numbers.metric(one.metric)} {numbers.signed(one.difference)} ({ends}, {p})"
    return f"{one.b}: {one.verdict} {than} {one.a}: {difference}"


def _preferred(found: Compared) -> Iterator[str]:
    """Whose answers people, and models that judge, prefer within a run."""
    if found.preferred:
        yield from ("", *_wrapped("whose answers are preferred, on rows and after Holm's correction of each run:"))
    for one in found.preferred:
        yield from _wrapped(_choice(one), indent=2, hang=2)


def _choice(one: ComparedPreference) -> str:
    judge = one.by == "judge"
    says = f"says the model {one.who}" if judge else "say people"
    than = {"not distinguishable": "from", "too few rows": "against"}.get(one.verdict, "than")
    rate = f"win rate {numbers.scored(one.win_rate)}, {numbers.probability(one.p_holm)}, {things(one.rows, 'row')}"
    place = f"; {'it goes' if judge else 'they go'} by the place" if one.goes_by_place else ""
    return f"{one.b} of {one.run}: {one.verdict} {than} {one.a} of {one.run}, {says}: {rate}{place}"


def _beside(found: Compared) -> Iterator[str]:
    """Some of the rows that the runs drew alike, with what each says."""
    beside = found.side_by_side
    for row in beside.rows[:_ROWS] if beside else ():
        yield from ("", *_wrapped(f"{row.row}: {numbers.short(row.text, _SHORT)}", hang=2))
        for who, said in [("right", row.truth), *((one.model, one.text) for one in row.answers)]:
            yield from _wrapped(f"{who}: {numbers.short(said, _SHORT) or '(nothing)'}", indent=2, hang=2)


def _why_not(found: Compared) -> Iterator[str]:
    for pair in found.pairs:
        if pair.why_not is not None:
            yield from ("", *_wrapped(f"{pair.a} and {pair.b} are not compared row by row: {pair.why_not}", hang=2))


def _wrapped(text: str, *, indent: int = 0, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + hang), break_on_hyphens=False
    )
