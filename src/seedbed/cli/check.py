"""`seedbed check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedbed.core import numbers

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import say

if TYPE_CHECKING:
    from seedbed.flow.holding import Held


def check_file(file: str, against: Path, *, as_json: bool) -> None:
    """Hold a file against a recipe and say what came of it; exits with 1 when a check stops it."""
    from seedbed.recipe import load

    let_ctrl_c_through()
    loaded = load(against)
    from seedbed.flow.holding import hold

    held = hold(file, loaded, progress=shown_on())
    if as_json:
        say(json.dumps(facts(held), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(numbers.typed, summary(held))))
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
    lines += [*_copies(held), *(_finding(finding) for finding in held.findings)]
    return [*lines, *(f"notice: {note}" for note in held.notes)]


def _copies(held: Held) -> list[str]:
    count, copies, known = numbers.count, held.copies, held.known
    lines = []
    if copies.exact or copies.near:
        of = "" if copies.compared >= copies.of else f" (of the first {count(copies.compared)})"
        lines.append(
            f"copies inside, of {count(copies.of)} rows: {count(copies.exact)} exact, {count(copies.near)} nearly{of}"
        )
    if copies.conflicts:
        lines.append(f"{count(copies.conflicts)} rows stand with another label, too")
    if known and known.rows:
        label = f", {count(known.other_label)} of them with another label" if known.other_label else ""
        lines.append(f"{count(known.rows)} of {count(known.of)} rows are already in the recipe's sources{label}")
    elif known:
        lines.append(f"none of {count(known.of)} rows is in the recipe's sources yet")
    return lines


def _finding(finding: Any) -> str:
    how = "passed" if finding.passed else "failed" + ("" if finding.on_fail == "stop" else ", only a warning")
    return f"check {finding.check} {how}: {finding.message}"
