"""What `seedbed check` found, as continuous integration shows it: annotations of GitHub Actions, and SARIF."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seedbed.core import numbers
from seedbed.core.errors import RecipeError
from seedbed.core.numbers import things
from seedbed.core.showing import clean
from seedbed.core.version import __version__

if TYPE_CHECKING:
    from seedbed.flow.holding import Held
    from seedbed.flow.locating import Place

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
#: Rows that one remark names.
_ROWS = 10


@dataclass(frozen=True)
class Remark:
    """One thing that a job should show."""

    level: Literal["error", "warning", "notice"]
    rule: str
    message: str
    places: tuple[Place, ...] = ()
    """Where it is to be seen, the first lines of the file; none where it is about all of it."""


def remarks(held: Held) -> Iterator[Remark]:
    """What is worth a remark, the worst first."""
    failed = [finding for finding in held.findings if not finding.passed]
    for finding in sorted(failed, key=lambda one: one.check not in held.stopped_by):
        rows = finding.rows[:_ROWS]
        shown = f" Rows: {', '.join(named(held, row) for row in rows)}." if rows else ""
        level: Literal["error", "warning"] = "error" if finding.check in held.stopped_by else "warning"
        places = tuple(held.places[row] for row in rows if row in held.places)
        yield Remark(level, finding.check, numbers.typed(f"{finding.message}{shown}"), places)
    if held.missing_columns:
        yield Remark("warning", "columns", f"It lacks columns of the recipe's data: {', '.join(held.missing_columns)}.")
    for name, what in held.other_types.items():
        yield Remark("warning", "columns", f"Column {name}: {what}.")
    if held.unknown_labels:
        told = ", ".join(f"{numbers.short(label)} ({rows:,})" for label, rows in list(held.unknown_labels.items())[:8])
        yield Remark("warning", "labels", f"Labels that the recipe does not know: {told}.")
    for part in held.parts:
        if rejected := sum(part.rejected.values()):
            reasons = ", ".join(f"{rows:,} {reason}" for reason, rows in part.rejected.items())
            yield Remark(
                "notice", part.part or part.use, f"{things(rejected, 'row is', 'rows are')} rejected: {reasons}."
            )


def named(held: Held, row: str) -> str:
    """A row, with its line where it is known."""
    return f"{row} (line {held.places[row].line})" if row in held.places else row


def annotate(held: Held, say: Callable[[str], None]) -> None:
    """Print annotations as GitHub Actions reads them, and add a table to the job's summary where it asks for one."""
    found = list(remarks(held))
    for one in found:
        title = _property(f"seedbed: {one.rule}")
        place = f"file={_property(one.places[0].file if one.places else held.file)}"
        if one.places:
            place += f",line={one.places[0].line}"
        say(f"::{one.level} {place},title={title}::{_data(clean(one.message))}")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(_markdown(held, found))


def write_sarif(held: Held, path: Path) -> None:
    """Write the findings as SARIF 2.1.0.

    Raises:
        RecipeError: The file cannot be written.
    """
    try:
        path.write_text(json.dumps(sarif(held), indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise RecipeError(f"cannot be written ({error.strerror})", at=f"--sarif {path}") from None


def sarif(held: Held) -> dict[str, Any]:
    """The findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""
    found = list(remarks(held))
    levels = {"error": "error", "warning": "warning", "notice": "note"}
    results = [
        {
            "ruleId": one.rule,
            "level": levels[one.level],
            "message": {"text": clean(one.message)},
            "locations": [_location(place.file, place.line) for place in one.places] or [_location(held.file)],
        }
        for one in found
    ]
    rules = [{"id": rule} for rule in dict.fromkeys(one.rule for one in found)]
    driver = {"name": "seedbed", "version": __version__, "rules": rules}
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _location(file: str, line: int | None = None) -> dict[str, Any]:
    """Where a result is to be seen, as SARIF has it."""
    place: dict[str, Any] = {"artifactLocation": {"uri": file.replace("\\", "/")}}
    if line is not None:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}


def _markdown(held: Held, found: list[Remark]) -> str:
    verdict = "passed" if held.passed else f"stopped by {', '.join(held.stopped_by)}"
    lines = [f"### {_cell(held.file)} against {_cell(held.recipe)}: {verdict}", ""]
    if found:
        lines += ["| | | |", "|---|---|---|"]
        lines += [f"| {one.level} | {_cell(one.rule)} | {_cell(one.message)} |" for one in found]
    else:
        lines.append("Nothing to remark.")
    return "\n".join(lines) + "\n\n"


def _cell(text: str) -> str:
    """Text of data inside a table: no markup, no end of the cell."""
    plain = clean(text).replace("\\", "\\\\").replace("\n", " ")
    for mark in "|`*_[]<>~":
        plain = plain.replace(mark, f"&#{ord(mark)};")
    return plain


def _data(text: str) -> str:
    """Text after `::`, so that it ends no line and begins no command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean(text)).replace(":", "%3A").replace(",", "%2C")
