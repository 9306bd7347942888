"""`seedbed explain`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core import numbers

from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.flow.explaining.story import Fate, Fetched, Rejection, Relative, Story

_WIDTH = 80
_MARGIN = 11
"""Titles stand left of it, what they are about to the right."""


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
        "",
        *_titled("origin", _origin(story)),
        *_titled("as read", _values(story.read)),
        *_titled("changes", _changes(story)),
        *_titled("rejected", _rejected(story.rejection, story.read) if story.rejection else ()),
        *_titled("kept", _values(story.values) if story.values != story.read and not story.rejection else ()),
        *_titled("copies", _copies(story)),
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
    wrong = [one.model for one in story.predictions if not one.right]
    if not story.predictions:
        return f"kept, in {story.fate.split}"
    n = len(story.predictions)
    models = f"{n} models" if n > 1 else "the model"
    return f"kept, in {story.fate.split}; " + (
        f"{models if len(wrong) == n else ', '.join(wrong)} got it wrong" if wrong else f"{models} got it right"
    )


def _origin(story: Story) -> Iterator[str]:
    at = story.origin
    line = f", line {numbers.count(at.line)}" if at.line else ""
    yield from _wrapped(f"record {numbers.count(at.record)}{line} of {at.file}")
    yield from _wrapped(f"source {at.source} ({at.use}) at {at.path}; licence {at.license or 'not stated'}")
    papers = {"collected by": at.collected_by, "terms": at.terms, "consent": at.consent}
    if said := "; ".join(f"{name}: {what}" for name, what in papers.items() if what):
        yield from _wrapped(said)
    if at.fetched:
        yield from _fetched(at.fetched)


def _fetched(got: Fetched) -> Iterator[str]:
    how = [f"status {got.status}" if got.status else "", got.media_type, f"SHA-256 {got.sha256[:12]}"]
    yield from _about(f"fetched {got.fetched} from {got.url}")
    yield from _wrapped(", ".join(one for one in how if one), indent=2)
    if got.robots:
        yield from _wrapped(f"robots.txt: {got.robots}", indent=2)
    facts = {name: fact for name, fact in got.facts.items() if fact not in (None, "")}
    if facts:
        yield from _wrapped("; ".join(f"{name} {_fact(fact)}" for name, fact in facts.items()), indent=2)


def _values(values: dict[str, str | None] | None) -> Iterator[str]:
    for name, value in (values or {}).items():
        yield from _wrapped(f"{name}: {_quoted(value)}", hang=2)


def _changes(story: Story) -> Iterator[str]:
    for one in story.changes:
        yield from _wrapped(f"{one.part}, column {one.column}{f' ({one.note})' if one.note else ''}")
        if one.before != one.after:
            yield from _wrapped(f"- {_quoted(one.before)}", indent=2, hang=2)
        yield from _wrapped(f"+ {_quoted(one.after)}", indent=2, hang=2)
    if story.all_changes and not story.changes and story.read:
        yield "none: no step changed a value"


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
        yield from _about(f"{one.row}{alike}, {one.label}{through}", indent=2)
        yield from _wrapped(_quoted(one.text), indent=4)
    if story.threshold is not None:
        of = "5-grams of characters" if story.shingles == "characters" else "3-grams of words"
        yield from _wrapped(f"(rows alike from {story.threshold:g} on stay together; Jaccard, {of})")


def _near(story: Story) -> Iterator[str]:
    if story.neighbours:
        yield "the nearest rows of train"
    for one in story.neighbours:
        yield from _about(f"{one.row} ({numbers.score(one.similarity)}), {one.label}", indent=2)
        yield from _wrapped(_quoted(one.text), indent=4)


def _models(story: Story) -> Iterator[str]:
    if story.fate.split == "train":
        yield "learned from it, so that what they say of it means nothing"
    width = max((len(one.model) for one in story.predictions), default=0)
    for one in story.predictions:
        verdict = "right" if one.right else f"wrong, it is {one.truth}"
        yield f"{one.model:<{width}}  {one.predicted} ({numbers.typed(numbers.percent(one.confidence))}), {verdict}"


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
