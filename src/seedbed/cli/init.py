"""`seedbed init`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core import numbers
from seedbed.core.numbers import things, word

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.flow.starting.start import Start
    from seedbed.profile import ColumnProfile

_MOST_SHOWN = 12


def init_recipe(  # noqa: PLR0913 (each option is an argument)
    file: str,
    *,
    text: str | None,
    label: str | None,
    kind: str | None,
    columns: Sequence[str],
    settings: Sequence[str],
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Look at a file, write a recipe and a card for it, and say what was found and what to type next."""
    from seedbed.flow.starting.start import refuse_replacing, start, write

    let_ctrl_c_through()
    folder = out or Path()
    if not force:
        refuse_replacing(folder)
    told = {"text": text, "label": label, "kind": kind}
    found = start(file, **told, columns=columns, folder=folder, settings=settings, progress=shown_on())
    written = write(found, folder)
    if as_json:
        say(json.dumps(facts(found, written), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(numbers.typed, summary(found, written))))


def facts(found: Start, written: tuple[Path, Path]) -> dict[str, Any]:
    """What `--json` prints."""
    profile = found.profile
    return {
        "source": {"use": found.use, "path": found.path, **found.found},
        **profile.model_dump(mode="json"),
        **({"task": found.task} if found.task else {}),
        "notes": list(found.notes),
        "recipe": str(written[0]),
        "card": str(written[1]),
        "next": _next(written[0]),
    }


def summary(found: Start, written: tuple[Path, Path]) -> list[str]:
    """What was found, in lines for a person."""
    from seedbed.flow.starting.start import spelt

    profile, count = found.profile, numbers.count
    form = ", ".join(f"{name} {spelt(value)}" for name, value in found.found.items() if name != "quote")
    rows = count(profile.rows) if profile.whole else f"about {count(profile.records)}"
    bad = sum(profile.malformed.values())
    malformed = f", {things(bad, 'malformed record')}" if bad else ""
    read_as = f"{found.use}, {form}" if form else found.use
    lines = [f"{found.path}: {rows} rows, {things(len(profile.columns), 'column')}{malformed} ({read_as})"]
    lines += [f"  {line}" for line in _columns(profile.columns)]
    roles = profile.roles
    if found.task:
        lines.append(f"task:   {found.task}; --task and --column say otherwise")
        lines += [f"notice: {note}" for note in found.notes]
        return [*lines, f"wrote {written[0]} and {written[1]}", f"next:   {_next(written[0])}"]
    lines.append(f"text:   {numbers.short(str(roles.text), 80)} ({roles.why_text}){_others(roles.other_texts)}")
    lines.append(f"label:  {numbers.short(str(roles.label), 80)} ({roles.why_label}){_others(roles.other_labels)}")
    if profile.label:
        lines.append(f"labels: {_labels(profile.label.merged)}")
    if profile.text:
        seen = profile.text
        of = "" if seen.compared >= seen.rows else f" (of the first {things(seen.compared, 'row')})"
        lines.append(
            f"copies: {count(seen.exact_copies)} exact, {count(seen.near_copies)} nearly{of}; "
            f"{things(seen.conflicts, 'text')} with several labels"
        )
    lines += [f"notice: {note}" for note in found.notes]
    return [*lines, f"wrote {written[0]} and {written[1]}", f"next:   {_next(written[0])}"]


def _columns(columns: tuple[ColumnProfile, ...]) -> list[str]:
    width = max(len(numbers.short(column.name)) for column in columns[:_MOST_SHOWN])
    lines = []
    for column in columns[:_MOST_SHOWN]:
        missing = f", {numbers.count(column.missing)} missing" if column.missing else ""
        example = f", such as {numbers.short(column.examples[0], 40)!r}" if column.examples else ""
        name = numbers.short(column.name)
        lines.append(f"{name:<{width}}  {column.looks:<8}  {numbers.count(column.unique)} different{missing}{example}")
    left = len(columns) - _MOST_SHOWN
    return [*lines, *([f"… and {left} more {word(left, 'column')}"] if left > 0 else [])]


def _others(names: tuple[str, ...]) -> str:
    more = ", …" if len(names) > 4 else ""
    return f"; or {', '.join(names[:4])}{more}?" if names else ""


def _labels(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    shown = [
        f"{numbers.short(label)}: {numbers.count(rows)} ({numbers.percent(rows, total)})"
        for label, rows in list(counts.items())[:6]
    ]
    return ", ".join(shown) + (f" and {len(counts) - 6} more" if len(counts) > 6 else "")


def _next(recipe: Path) -> str:
    return shlex.join(["seedbed", "run", str(recipe)])
