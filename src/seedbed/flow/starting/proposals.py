"""Steps and checks that a careful colleague would put into a first recipe, each with its reason.

What needs a decision that only a person can take, or a package that is not installed, is offered and not done: the
recipe must run as it is written.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

import polars as pl

from seedbed.checks.schema import Kind, kind_of
from seedbed.core import numbers
from seedbed.core.detecting.personal.kinds import KINDS, findable
from seedbed.core.detecting.units import measure_of, units_in
from seedbed.profile import Profile
from seedbed.steps import ParseDates
from seedbed.steps.convert_units import ConvertUnits

from .commented import quoted

#: Columns for which steps are proposed, and values by which their dates and units are told.
_MOST, _TRIED = 5, 2_000
#: Columns that a schema lists; of a wider table only those of the task.
_MOST_COLUMNS = 20
#: Rows of which labels can be doubted by one another, in a time that a first run may take.
_DOUBTED = (400, 100_000)
#: Share of the rows that each label must have for that: what is rarer no such model learns.
_RARE = 0.05
#: Share of texts in other languages from which on a text's language is a question.
_FOREIGN = 0.01
#: Ways in which dates are written, the plainest first; those of figures come in pairs, which may both fit.
_FORMS: tuple[Mapping[str, object], ...] = (
    {},
    {"day_first": True},
    {"day_first": False},
    *({"formats": ["iso", form]} for form in ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")),
)


@dataclass(frozen=True)
class Proposal:
    """A part as a line of a recipe, and why."""

    part: str
    """What stands between the braces."""
    why: str
    wanted: bool = True
    """Whether it is done; else it is a comment."""


def on_texts(profile: Profile, text: str) -> Iterator[Proposal]:
    """Steps that come before others: personal data out, texts of other languages out."""
    found = profile.text
    if found is None:
        return
    if found.personal:
        kinds = ", ".join(f"{kind} in {numbers.count(rows)}" for kind, rows in found.personal.items())
        ready = findable() == KINDS
        why = f"personal data: {kinds} texts" + ("" if ready else "; pip install 'seedbed[pii]'")
        yield Proposal(f"use: redact_pii, column: {quoted(text)}", why, ready)
    known = [one for one in found.languages if one.language != "unknown"]
    if len(known) > 1 and sum(one.share.value for one in known[1:]) >= _FOREIGN:
        told = ", ".join(f"{one.language} {numbers.typed(numbers.percent(one.share.value))}" for one in known[:5])
        part = f"use: language, column: {quoted(text)}, languages: [{known[0].language}]"
        yield Proposal(part, f"texts are in {told}: name those that should stay", wanted=False)


def on_columns(profile: Profile, rows: pl.DataFrame) -> Iterator[Proposal]:
    """Steps that read dates and amounts that are written as text."""
    looks = {column.name: column.looks for column in profile.columns}
    written = [name for name in looks if rows.schema[name] == pl.String]
    for name in [name for name in written if looks[name] == "date"][:_MOST]:
        yield from _dates(name, _values(rows[name]))
    for name in [name for name in written if looks[name] == "amount"][:_MOST]:
        yield from _amounts(name, _values(rows[name]))


def columns_now(profile: Profile, rows: pl.DataFrame) -> dict[str, str]:
    """Columns with their types, as the check `schema` has them; `any` where a step before it may make another."""
    roles = profile.roles
    columns = rows.columns if rows.width <= _MOST_COLUMNS else [str(roles.text), str(roles.label)]
    free = {column.name for column in profile.columns if column.looks in ("date", "amount")}
    free |= {str(roles.label)} if profile.label and profile.label.renamed else set()
    told = {name: "any" if name in free else kind_of(rows.schema[name]) for name in columns}
    return {name: kind if kind in get_args(Kind) else "any" for name, kind in told.items()}


def checks(profile: Profile, left: int) -> Iterator[Proposal]:
    """Checks that no personal data is left, and that few labels are wrong, of so many rows."""
    ready = findable() == KINDS
    why = "personal data in the texts" + ("" if ready else "; pip install 'seedbed[pii]'")
    yield Proposal("use: pii_left", why, ready)
    counts = list(profile.label.merged.values()) if profile.label else []
    rare = not counts or min(counts) < _RARE * sum(counts)
    why = "wrong labels, by models that did not see their rows"
    if left < _DOUBTED[0] or rare:
        why += f" (of {'so rare labels' if left >= _DOUBTED[0] else 'few rows'} they know little)"
    elif left > _DOUBTED[1]:
        why += " (of so many rows it takes a while)"
    yield Proposal("use: label_errors", why, not rare and _DOUBTED[0] <= left <= _DOUBTED[1])


def _values(column: pl.Series) -> pl.Series:
    """Some values that are there, from all over, under a name that means one column to Polars."""
    there = column.filter(column.str.strip_chars().str.len_bytes() > 0).alias("v")
    return there.gather_every(max(1, -(-there.len() // _TRIED)))


def _dates(name: str, values: pl.Series) -> Iterator[Proposal]:
    to = "datetime" if values.str.contains(r"\d:\d\d").any() else "date"
    read = [_read(values, form) for form in _FORMS]
    best = read.index(max(read))
    if not values.len() or read[best] < values.len() / 2:
        return
    options = "".join(f", {key}: {_yaml(value)}" for key, value in _FORMS[best].items())
    part = f"use: parse_dates, column: {quoted(name)}{options}, to: {to}, on_error: missing"
    if read[1] == read[2] == read[best] > read[0]:
        yield Proposal(part, "dates of figures: does the day come first? Then `day_first: true`, else `false`", False)
        return
    rest = values.len() - read[best]
    why = f"{numbers.count(rest)} of {numbers.count(values.len())} values looked at are no date" if rest else ""
    yield Proposal(part, why or "dates that are written as text")


def _read(values: pl.Series, form: Mapping[str, object]) -> int:
    """How many values are dates in a form."""
    step = ParseDates.model_validate({"use": "parse_dates", "column": "v", "on_error": "missing", **form})
    done = values.to_frame().select(step.work().alias("done"))["done"]
    return values.len() - done.struct.field("columns").struct.field("v").null_count()


def _amounts(name: str, values: pl.Series) -> Iterator[Proposal]:
    named = units_in(values)
    counts = dict(named.drop_nulls().alias("unit").value_counts(sort=True, name="n").iter_rows())
    bare = int(values.filter(named.is_null()).str.contains(r"^\s*[+\-−]?[\d.,]+\s*$").sum())
    if len(counts) + bool(bare) < 2 or len(set(map(measure_of, counts))) != 1:
        return
    unit = next(iter(counts))
    told = ", ".join(
        f"{one} in {numbers.count(n)}" for one, n in [*counts.items(), *([("none", bare)] if bare else [])]
    )
    why = f"several units ({told} values looked at)"
    part = f"use: convert_units, column: {quoted(name)}, to: {quoted(unit)}, on_error: missing"
    ready = all(importlib.util.find_spec(one) is not None for one in ConvertUnits.needs)
    if bare:
        yield Proposal(f"{part}, bare: {quoted(unit)}", f"{why}: which one do bare numbers have?", wanted=False)
    else:
        yield Proposal(part, why + ("" if ready else "; pip install 'seedbed[units]'"), ready)


def _yaml(value: object) -> str:
    return f"[{', '.join(map(quoted, value))}]" if isinstance(value, list) else str(value).lower()
