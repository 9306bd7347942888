"""`seedbed explain`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seedbed.core import numbers

from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.flow.explaining.story import Decided, Fate, Fetched, Rejection, Relative, Story

_WIDTH = 80
_MARGIN = 11
"""Titles stand left of it, what they are about to the right."""

_T = TypeVar("_T")
_MOST_VALUES = 24
"""Columns whose values are told."""
_MOST_CHANGES = 8
"""Columns of which it is told what one part did to them."""
_NEW, _IDLE = "a new column", 3
_NOTHING = (None, "0", "0.0", "-0.0", "false")


def explain_row(run: Path, row: str, *, trust: bool, as_json: bool) -> None:
    """Print one row's story."""
    from seedbed import flow

    story = flow.explain(run, row, progress=shown_on(), trust=trust)
    if as_json:
        say(json.dumps(story.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        say("\n".join(told(story)))


def told(story: Story) -> list[str]:
    """A row's story in lines of at most 80 columns (names of rows stay whole)."""
    return [
        story.row,
        *textwrap.wrap(_verdict(story), _WIDTH),
        *(line for rescue in _rescues(story) for line in textwrap.wrap(rescue, _WIDTH)),
        "",
        *_titled("origin", _origin(story) if story.origin else _made(story)),
        *_titled("as read", _values(story, story.read)),
        *_titled("joined", _joined(story)),
        *_titled("changes", _changes(story)),
        *_titled("rejected", _rejected(story.rejection, story.read) if story.rejection else ()),
        *_titled("kept", _kept(story)),
        *_titled("copies", _copies(story)),
        *_titled("made", _offspring(story)),
        *_titled("split", _together(story)),
        *_titled("near", _near(story)),
        *_titled("models", _models(story)),
        *_titled("note", (line for note in story.notes for line in _wrapped(note))),
    ]


def _verdict(story: Story) -> str:
    if story.rejection:
        by = story.rejection
        at = f" (part {by.place} of {by.places} that rows pass)" if by.place else ""
        return f"rejected by {by.part}: {by.reason.replace('_', ' ')}{at}"
    if story.fate.split is None:
        return "kept when the run was stopped, before rows were split"
    judged = [one for one in story.predictions if one.right is not None]
    wrong = [one.model for one in judged if not one.right]
    if not judged:
        return f"kept, in {story.fate.split}"
    n = len(judged)
    models = f"{n} models" if n > 1 else "the model"
    return f"kept, in {story.fate.split}; " + (
        f"{models if len(wrong) == n else ', '.join(wrong)} got it wrong" if wrong else f"{models} got it right"
    )


def _origin(story: Story) -> Iterator[str]:
    at = story.origin
    assert at is not None
    line = f", line {numbers.count(at.line)}" if at.line else ""
    yield from _wrapped(f"record {numbers.count(at.record)}{line} of {at.file}")
    yield from _wrapped(f"source {at.source} ({at.use}) at {at.path}; licence {at.license or 'not stated'}")
    papers = {"collected by": at.collected_by, "terms": at.terms, "consent": at.consent}
    if said := "; ".join(f"{name}: {what}" for name, what in papers.items() if what):
        yield from _wrapped(said)
    if at.fetched:
        yield from _fetched(at.fetched)


def _joined(story: Story) -> Iterator[str]:
    for one in story.joined:
        yield from _wrapped(f"{one.part}: record {numbers.count(one.record)} of {one.file}")
        if one.fetched:
            yield from _fetched(one.fetched)


def _made(story: Story) -> Iterator[str]:
    yield from _wrapped(f"made by {story.maker}, of training rows")
    for one in story.parents:
        through = "" if one.to == story.row else f", of which {one.to} was made"
        yield from _about(f"of {one.row}, {_fate(one.fate)}{through}")
        label = f", {one.label}" if one.label else ""
        if one.text:
            yield from _wrapped(f"{_quoted(one.text)}{label}", indent=2)


def _offspring(story: Story) -> Iterator[str]:
    if story.all_offspring:
        rows = "row was" if story.all_offspring == 1 else "rows were"
        yield f"{numbers.count(story.all_offspring)} {rows} made of it, for training only"
    for row in story.offspring:
        yield from _about(row, indent=2)
    if story.all_offspring > len(story.offspring):
        yield "…"


def _fetched(got: Fetched) -> Iterator[str]:
    how = [f"status {got.status}" if got.status else "", got.media_type, f"SHA-256 {got.sha256[:12]}"]
    yield from _about(f"fetched {got.fetched} from {got.url}")
    yield from _wrapped(", ".join(one for one in how if one), indent=2)
    if got.robots:
        yield from _wrapped(f"robots.txt: {got.robots}", indent=2)
    facts = {name: fact for name, fact in got.facts.items() if fact not in (None, "")}
    if facts:
        yield from _wrapped("; ".join(f"{name} {_fact(fact)}" for name, fact in facts.items()), indent=2)


def _values(story: Story, values: dict[str, str | None] | None, *, final: bool = False) -> Iterator[str]:
    """Columns with their values, the label with who decided it; of very many those that say most."""
    known = values or {}
    told = _first(list(known), lambda name: _weight(story, name, known[name]), _MOST_VALUES)
    by = next((f" ({_relabelled(one)})" for one in reversed(story.decided) if final and one.lifted is None), "")
    for name in told:
        yield from _wrapped(f"{name}: {_quoted(known[name])}{by if name == story.label else ''}", hang=2)
    yield from _more([known[name] for name in known if name not in told])


def _kept(story: Story) -> Iterator[str]:
    if story.values != story.read and not story.rejection:
        yield from _values(story, story.values, final=True)


def _changes(story: Story) -> Iterator[str]:
    for part, some in groupby(story.changes, key=lambda one: one.part):
        changes = list(some)
        told = _first(changes, lambda one: _weight(story, one.column, one.after), _MOST_CHANGES)
        for one in told:
            by = (f"by {each.who}" for each in story.decided if each.part == part and each.lifted is None)
            note = next(by, one.note) if one.column == story.label else one.note
            yield from _wrapped(f"{part}, column {one.column}{f' ({note})' if note else ''}")
            if one.before != one.after and (one.before is not None or one.note != _NEW):
                yield from _wrapped(f"- {_quoted(one.before)}", indent=2, hang=2)
            yield from _wrapped(f"+ {_quoted(one.after)}", indent=2, hang=2)
        yield from (f"{part}, {line}" for line in _more([one.after for one in changes if one not in told]))
    if story.all_changes and not story.changes and story.read:
        yield "none: no step changed a value"


def _weight(story: Story, name: str, value: str | None) -> int:
    """How much a column says of a row: the less the more. What a part made of it and found to be 0 says least."""
    if name in (story.text, story.label):
        return 0
    if name in (story.read or {}):
        return 1
    return _IDLE if value in _NOTHING else 2


def _first(some: list[_T], weight: Callable[[_T], int], most: int) -> list[_T]:
    """Some things in their own order; of more than `most` those of the least weight, and none that say nothing."""
    if len(some) <= most:
        return some
    places = sorted((weight(one), place) for place, one in enumerate(some))
    return [some[place] for place in sorted(place for how, place in places[:most] if how < _IDLE)]


def _more(values: list[str | None]) -> Iterator[str]:
    """How many columns are not told."""
    if values:
        columns = "column" if len(values) == 1 else "columns"
        empty = ", all 0 or without a value" if all(value in _NOTHING for value in values) else ""
        yield f"and {numbers.count(len(values))} more {columns}{empty}"


def _relabelled(one: Decided) -> str:
    before = "it had none" if one.was is None else f"it was {_quoted(one.was)}"
    return f"relabelled by {one.who}, {before}{f': {one.why}' if one.why else ''}"


def _rescues(story: Story) -> Iterator[str]:
    """Which rejections people lifted."""
    for one in story.decided:
        if one.lifted is not None:
            why = f": {one.why}" if one.why else ""
            yield f"rescued by {one.who} from {one.lifted} ({one.reason}){why}"


def _rejected(why: Rejection, read: dict[str, str | None] | None) -> Iterator[str]:
    yield f"{why.part}: {why.reason}"
    hidden = {"of", "kept", "line", "against"}
    if "neighbours" in why.evidence:  # told one by one below, each with its similarity and split
        hidden |= {"neighbours", "similarity", "split"}
    facts = {name: fact for name, fact in why.evidence.items() if name not in hidden and fact is not None}
    if facts:
        yield from _wrapped("; ".join(f"{name}: {_fact(fact)}" for name, fact in facts.items()))
    if read is None:
        yield from _wrapped(_quoted(why.excerpt))
    for one in why.relatives:
        yield from _relative(one, grouped="neighbours" in why.evidence)


def _relative(one: Relative, *, grouped: bool) -> Iterator[str]:
    alike = f" ({numbers.score(one.similarity)})" if one.similarity is not None else ""
    like = "like" if one.relation == "of" else "the one that stays:"
    if grouped and not alike:
        like = "in a group with"
    where = f"in the dataset {one.against}" if one.against is not None else _fate(one.fate)
    yield from _about(f"{like} {one.row}{alike}, {where}")
    label = f", {one.label}" if one.label else ""
    if one.text:
        yield from _wrapped(f"{_quoted(one.text)}{label}", indent=2)


def _copies(story: Story) -> Iterator[str]:
    if story.all_copies:
        yield f"{numbers.count(story.all_copies)} rejected because of it"
    for one in story.copies:
        alike = f" ({numbers.score(one.similarity)})" if one.similarity is not None else ""
        yield from _about(f"{one.row}{alike}, {one.part}")
        yield from _wrapped(_quoted(one.text), indent=2)
    if story.all_copies > len(story.copies):
        yield "…"


def _together(story: Story) -> Iterator[str]:
    if story.fate.split is None or story.rejection:
        return
    alone = "with no other row" if not story.together and story.group_rows <= 1 else "together with"
    yield f"{story.fate.split}, {alone}"
    if story.group_rows > 1:
        yield from _wrapped(f"{numbers.count(story.group_rows - 1)} more of {story.group}", indent=2)
    for one in story.together:
        through = "" if one.joined_by == story.row else f", through {one.joined_by}"
        alike = f" ({numbers.score(one.similarity)})" if one.similarity is not None else ""
        label = f", {one.label}" if one.label else ""
        yield from _about(f"{one.row}{alike}{label}{through}", indent=2)
        yield from _wrapped(_quoted(one.text), indent=4)
    if story.threshold is not None:
        of = "5-grams of characters" if story.shingles == "characters" else "3-grams of words"
        yield from _wrapped(f"(rows alike from {story.threshold:g} on stay together; Jaccard, {of})")


def _near(story: Story) -> Iterator[str]:
    if story.neighbours:
        yield "the nearest rows of train"
    for one in story.neighbours:
        yield from _about(
            f"{one.row} ({numbers.score(one.similarity)}){f', {one.label}' if one.label else ''}", indent=2
        )
        yield from _wrapped(_quoted(one.text), indent=4)


def _models(story: Story) -> Iterator[str]:
    if story.fate.split == "train" and story.models:
        yield "learned from it, so that what they say of it means nothing"
    width = max((len(one.model) for one in story.predictions), default=0)
    for one in story.predictions:
        sure = "" if one.confidence is None else f" ({numbers.typed(numbers.percent(one.confidence))})"
        verdict = "right" if one.right else f"{'wrong, ' if one.right is False else ''}it is {one.truth}"
        line = f"{one.model:<{width}}  {one.predicted}{sure}{f', {verdict}' if one.truth or one.right else ''}"
        yield from [line] if len(line) <= _WIDTH - _MARGIN else _wrapped(line, hang=2)


def _fate(fate: Fate) -> str:
    if fate.outcome == "rejected":
        return f"rejected by {fate.part} ({fate.reason})"
    return f"kept in {fate.split}" if fate.split else fate.outcome


def _fact(fact: Any) -> str:
    return numbers.score(fact) if isinstance(fact, float) else numbers.verbatim(fact)


def _quoted(value: str | None) -> str:
    return "(no value)" if value is None else f"“{value}”"


def _wrapped(text: str, *, indent: int = 0, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH - _MARGIN, initial_indent=" " * indent, subsequent_indent=" " * (indent + hang)
    ) or [""]


def _about(text: str, *, indent: int = 0) -> list[str]:
    """Lines with the name of a row, which stays whole, so that it can be copied."""
    lead = " " * indent
    return textwrap.wrap(
        text, _WIDTH - _MARGIN, initial_indent=lead, subsequent_indent=f"{lead}  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _titled(title: str, lines: Any) -> list[str]:
    found = list(lines)
    return [f"{title if not place else '':<{_MARGIN}}{line}" for place, line in enumerate(found)]
