"""`seedbed diff`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedbed.core import numbers
from seedbed.core.numbers import count, things, typed

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.core.difference import Difference, Moved, Rows

_WIDTH = 80
_MARGIN = 11
#: Options, reasons, columns and scores that are listed; `--json` has all.
_MOST = 12


def show_diff(a: str, b: str, *, by: str | None, out: Path | None, exit_code: bool, as_json: bool) -> None:
    """Print what differs, or write the page; exits with 1 where something does and that was asked for."""
    let_ctrl_c_through()
    from seedbed.flow.versions.diff import diff

    found = diff(a, b, by=by, progress=shown_on())
    if out is not None:
        from seedbed.flow.versions.pages import write_page
        from seedbed.report.difference import render

        write_page(out, render(found))
    if as_json:
        say(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(typed, told(found))))
        if out is not None:
            say(f"\npage: {out}")
    if exit_code and found.differs:
        raise typer.Exit(1)


def told(found: Difference) -> list[str]:
    """What differs, in lines of at most 80 columns (names of rows stay whole)."""
    return [
        f"a  {_side(found.a)}",
        f"b  {_side(found.b)}",
        "",
        *_wrapped(verdict(found), _WIDTH),
        "",
        *_titled("rows", _rows(found)),
        *_titled("changed", _changed(found)),
        *_titled("moved", _moves(found.rows.splits)),
        *_titled("labels", _moves(found.rows.labels, of=found.rows.both_labelled)),
        *_titled("schema", _schema(found)),
        *_titled("spread", _spread(found)),
        *_titled("checks", _checks(found)),
        *_titled("scores", _scores(found)),
        *_titled("recipe", _recipe(found)),
        *_titled("rejected", _books(found)),
        *_titled("note", (line for note in found.notes for line in _wrapped(note))),
    ]  # fmt: skip


def verdict(found: Difference) -> str:
    """What differs, in a line."""
    return f"differs in {', '.join(found.differs)}" if found.differs else "nothing differs"


def _side(side: Any) -> str:
    rows = ", ".join(f"{name} {count(n)}" for name, n in side.splits.items())
    run = f" run {side.id}" if side.id else ""
    return f"{side.named}:{run} {things(side.rows, 'row')} ({rows})"


def _rows(found: Difference) -> Iterator[str]:
    rows = found.rows
    yield from _wrapped(rows.identity)
    parts = {"added": rows.added, "removed": rows.removed, "changed": rows.changed, "moved": rows.moved}
    yield ", ".join([f"{count(rows.same)} the same", *(f"{count(n)} {word}" for word, n in parts.items())])
    yield from _only_one(rows, "added")
    yield from _only_one(rows, "removed")


def _only_one(rows: Rows, what: str) -> Iterator[str]:
    examples, because = getattr(rows, f"{what}_examples"), getattr(rows, f"{what}_because")
    if because:
        told = ", ".join(f"{reason} {count(n)}" for reason, n in list(because.items())[:_MOST])
        yield from _wrapped(f"of those {what}, {'a' if what == 'added' else 'b'} rejected: {told}")
    for one in examples[:3]:
        yield f"{'+' if what == 'added' else '-'} {one.row} ({one.split})"
        yield from _wrapped(f"“{one.excerpt}”", _WIDTH - _MARGIN, indent=4)


def _schema(found: Difference) -> Iterator[str]:
    for one in found.schema_changes[:_MOST]:
        yield f"{one.column}: {one.a or '(not there)'} → {one.b or '(gone)'}"
    yield from _more(len(found.schema_changes))


def _changed(found: Difference) -> Iterator[str]:
    for one in found.rows.columns[:_MOST]:
        yield f"{one.column}: {things(one.rows, 'row')}"
        for was in one.examples[:2]:
            yield f"  {was.row}"
            yield from _wrapped(f"- {_value(was.a)}", indent=4, hang=2)
            yield from _wrapped(f"+ {_value(was.b)}", indent=4, hang=2)
    yield from _more(len(found.rows.columns))


def _value(value: str | None) -> str:
    return "(no value)" if value is None else f"“{value}”"


def _moves(moves: Iterable[Moved], *, of: int = 0) -> Iterator[str]:
    moves = list(moves)
    if of and moves:
        total = sum(one.rows for one in moves)
        yield f"{count(total)} of {things(of, 'row')} that both have ({numbers.percent(total, of)})"
    for one in moves[:_MOST]:
        yield f"{one.a or '(none)'} → {one.b or '(none)'}: {count(one.rows)}"
    yield from _more(len(moves))


def _spread(found: Difference) -> Iterator[str]:
    from seedbed.report.difference import shift

    for one in found.distributions[:_MOST]:
        effect = "V" if one.test == "chi-square" else "D"
        p = numbers.probability(one.p_holm)
        yield f"{one.about}: {one.verdict} ({p}, {effect} {numbers.score(one.effect)})"
        if one.verdict == "differs":
            yield from _wrapped(shift(one), indent=2, hang=2)
    yield from _more(len(found.distributions))


def _checks(found: Difference) -> Iterator[str]:
    for one in found.checks:
        if one.differs:
            a, b = (f"{state or 'did not run'}{f' ({numbers.fact(value)})' if value is not None else ''}"
                    for state, value in ((one.a, one.value_a), (one.b, one.value_b)))  # fmt: skip
            yield from _wrapped(f"{one.check}: {a} → {b}", hang=2)
    alike = sum(not one.differs for one in found.checks)
    if alike:
        yield f"{count(alike)} the same"


def _scores(found: Difference) -> Iterator[str]:
    shown = [one for one in found.scores if one.differs and one.split == "test"]
    for one in shown[:_MOST]:
        yield from _wrapped(
            f"{one.model}, {numbers.metric(one.metric)} on {one.split}: {numbers.scored(one.a)} → "
            f"{numbers.scored(one.b)}", hang=2,
        )  # fmt: skip
    yield from _more(len(shown))
    paired = found.paired
    if paired.why_not and found.scores:
        yield from _wrapped(f"not compared row by row: {paired.why_not}")
    elif paired.comparisons:
        of = f"{count(paired.of_a)} and {count(paired.of_b)}"
        yield from _wrapped(
            f"on the {things(paired.rows, 'row that is a test row', 'rows that are test rows')} of both (of {of}):"
        )
    for pair in paired.comparisons:
        p = numbers.probability(pair.p if pair.p_holm is None else pair.p_holm)
        than = "from" if pair.verdict == "not distinguishable" else "than"
        difference = f"{numbers.signed(pair.difference)} ({numbers.signed_ends(pair)}, {p})"
        told = f"{pair.b}: {pair.verdict} {than} {pair.a}: {numbers.metric(pair.metric)} {difference}"
        yield from _wrapped(told, indent=2, hang=2)


def _recipe(found: Difference) -> Iterator[str]:
    for one in found.recipe[:_MOST]:
        yield from _wrapped(f"{one.path}: {_option(one.a)} → {_option(one.b)}", hang=2)
    yield from _more(len(found.recipe))


def _option(value: Any) -> str:
    return "(not there)" if value is None else numbers.short(numbers.verbatim(value), 120)


def _books(found: Difference) -> Iterator[str]:
    books = found.books
    if books is None:
        return
    differing = [one for one in books.rejected if one.a != one.b]
    if differing or books.read_a != books.read_b:
        yield f"read {count(books.read_a)} → {count(books.read_b)}, kept {count(books.kept_a)} → {count(books.kept_b)}"
    for one in differing[:_MOST]:
        yield f"{one.part}: {one.reason} {count(one.a)} → {count(one.b)}"
    yield from _more(len(differing))


def _more(have: int) -> Iterator[str]:
    if have > _MOST:
        yield f"… and {count(have - _MOST)} more (--json has all)"


def _wrapped(text: str, width: int = _WIDTH - _MARGIN, *, indent: int = 0, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + hang), break_on_hyphens=False
    ) or [""]


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    return [f"{title if not place else '':<{_MARGIN}}{line}" for place, line in enumerate(lines)]
