"""`seedbed check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedbed.core import numbers
from seedbed.core.numbers import things, word

from .annotations import annotate, named, write_sarif
from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.core.check import Finding
    from seedbed.flow.holding import Held

#: Rows that a line about a finding names.
_ROWS = 5


def check_file(file: str, against: Path, *, as_json: bool, github: bool = False, sarif: Path | None = None) -> None:
    """Hold a file against a recipe and say what came of it; exits with 1 when a check stops it.

    Args:
        file: As typed.
        against: The recipe.
        as_json: Print facts.
        github: Print annotations, too, as GitHub Actions reads them.
        sarif: File to write findings to, as tools for code scanning read them.
    """
    from seedbed.recipe import load

    let_ctrl_c_through()
    loaded = load(against)
    from seedbed.flow.holding import hold

    held = hold(file, loaded, progress=shown_on())
    if as_json:
        say(json.dumps(facts(held), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(numbers.typed, summary(held))))
    if github:
        annotate(held, say)
    if sarif is not None:
        write_sarif(held, sarif)
    if not held.passed:
        raise typer.Exit(1)


def facts(held: Held) -> dict[str, Any]:
    """What `--json` prints."""
    return {"passed": held.passed, **held.model_dump(mode="json")}


def summary(held: Held) -> list[str]:
    """What a person wants to know, the verdict first."""
    count, books = numbers.count, held.rows
    verdict = "passed" if held.passed else f"stopped by {', '.join(held.stopped_by)}"
    lines = [f"{held.file} against {held.recipe}: {verdict}"]
    lines.append(f"rows: {count(books.read)} read = {count(books.kept)} kept + {count(books.rejected_rows)} rejected")
    rejecting = [part for part in held.parts if sum(part.rejected.values())]
    width = max((len(part.part) for part in rejecting), default=0)
    for part in rejecting:
        reasons = ", ".join(f"{count(n)} {reason}" for reason, n in part.rejected.items())
        lines.append(f"  {part.part or part.use:<{width}}  {reasons}")
    if held.missing_columns:
        lines.append(f"columns that it lacks: {', '.join(held.missing_columns)}")
    if held.extra_columns:
        lines.append(f"columns of its own: {', '.join(held.extra_columns)}")
    lines += [f"column {name}: {what}" for name, what in held.other_types.items()]
    if held.unknown_labels:
        shown = ", ".join(f"{numbers.short(name)}: {count(n)}" for name, n in list(held.unknown_labels.items())[:8])
        more = f" and {len(held.unknown_labels) - 8} more" if len(held.unknown_labels) > 8 else ""
        lines.append(f"labels that the recipe does not know: {shown}{more}")
    lines += _copies(held)
    for finding in held.findings:
        lines += _finding(held, finding)
    return [*lines, *(f"notice: {note}" for note in held.notes)]


def _copies(held: Held) -> list[str]:
    count, copies, known = numbers.count, held.copies, held.known
    lines = []
    if copies.exact or copies.near:
        of = "" if copies.compared >= copies.of else f" (of the first {count(copies.compared)})"
        lines.append(
            f"copies inside, of {things(copies.of, 'row')}: {count(copies.exact)} exact, "
            f"{count(copies.near)} nearly{of}"
        )
    if copies.conflicts:
        lines.append(f"{things(copies.conflicts, 'row stands', 'rows stand')} with another label, too")
    if known and known.rows:
        label = f", {count(known.other_label)} of them with another label" if known.other_label else ""
        lines.append(
            f"{count(known.rows)} of {things(known.of, 'row')} {word(known.rows, 'is', 'are')} already in "
            f"the recipe's sources{label}"
        )
    elif known:
        lines.append(f"none of {things(known.of, 'row')} is in the recipe's sources yet")
    return lines


def _finding(held: Held, finding: Finding) -> list[str]:
    how = "passed" if finding.passed else "failed" + ("" if finding.on_fail == "stop" else ", only a warning")
    told = f"check {finding.check} {how}: {finding.message}"
    if finding.passed or not finding.rows:
        return [told]
    rows = [named(held, row) for row in finding.rows[:_ROWS]]
    return [told, f"  rows: {', '.join(rows)}{', …' if len(finding.rows) > _ROWS else ''}"]
