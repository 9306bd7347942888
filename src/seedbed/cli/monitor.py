"""`seedbed monitor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedbed.core import numbers
from seedbed.core.errors import ModelError, RecipeError
from seedbed.core.numbers import count, things

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import complain, say

if TYPE_CHECKING:
    from seedbed.core.monitoring import Signal, Watch
    from seedbed.flow.monitoring.watch import Asked

#: Signals that are listed; `--json` has all.
_MOST = 12


@dataclass(frozen=True)
class Wanted:
    """Where what was found goes."""

    out: Path | None = None
    webhook: str | None = None
    as_json: bool = False


def watch_model(named: str, against: Path, asked: Asked, wanted: Wanted) -> None:
    """Hold rows against a model's reference and say what came of it; exits with 1 where there is an alarm."""
    from seedbed.core.context import Context
    from seedbed.flow.monitoring.watch import watch
    from seedbed.flow.monitoring.webhook import address_of, send, told

    let_ctrl_c_through()
    url = address_of(wanted.webhook) if wanted.webhook else ""
    if wanted.out is not None and wanted.out.is_dir():
        raise RecipeError("this is a folder", at=f"--out {wanted.out}", hint="name a file in it, such as monitor.html")
    found = watch(named, against, asked, context=Context(progress=shown_on()))
    if wanted.out is not None:
        from seedbed.flow.versions.pages import write_page
        from seedbed.report.monitoring import render

        write_page(wanted.out, render(found))
    if wanted.as_json:
        say(json.dumps(facts(found), indent=2, ensure_ascii=False))
    else:
        say("\n".join(map(numbers.typed, summary(found))))
        if wanted.out is not None:
            say(f"page: {wanted.out}")
    if not found.alarms:
        return
    if url:
        try:
            send(url, told(found))
        except ModelError as error:  # the alarm is what the exit code tells
            complain(f"warning: {error}")
    raise typer.Exit(1)


def facts(found: Watch) -> dict[str, Any]:
    """What `--json` prints."""
    return {"alarm": bool(found.alarms), **found.model_dump(mode="json")}


def summary(found: Watch) -> list[str]:
    """What a person wants to know, the verdict first."""
    alarms = len(found.alarms)
    verdict = things(alarms, "alarm") if alarms else "no alarm"
    window = found.window
    when = f", {window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M} UTC" if window.since else ""
    lines = [
        f"{window.named} against {found.model}: {verdict} "
        f"({things(found.tests, 'test')}; false alarms {_false_alarms(found)})",
        f"rows: {count(window.rows)}{when}; reference: {count(found.reference.rows)} held-out rows",
    ]
    lines += [_told(one) for one in found.signals[: max(_MOST, alarms)]]
    if len(found.signals) > max(_MOST, alarms):
        lines.append(f"  and {len(found.signals) - max(_MOST, alarms)} more without an alarm")
    lines += _done(found)
    return [*lines, *(f"notice: {note}" for note in found.notes)]


def _false_alarms(found: Watch) -> str:
    """How many windows raise an alarm though nothing differs, as far as that is known."""
    most = f"at most {numbers.percent(found.level)} of windows"
    if found.independent:
        return most
    return (
        f"{most} were rows independent; those of the reference are {things(found.reference.groups or 0, 'group')}: more"
    )


def _told(one: Signal) -> str:
    chance = "" if one.p_holm is None else f", {numbers.probability(one.p_holm)}"
    chance += f", but {one.why_not}" if one.why_not else ""
    mark, size = "ALARM" if one.alarm else "  ok ", f"{one.measure} {one.size}".rstrip()
    return f"  {mark} {one.monitor}, {numbers.short(one.what, 60)}: {size}{chance}; {one.told}"


def _done(found: Watch) -> Iterator[str]:
    for one in found.performance:
        was = f"; {numbers.scored(one.before)} on {one.of} rows" if one.before else ""
        yield f"{numbers.metric(one.metric)}: {numbers.scored(one.now)} of {things(one.now.n, 'labelled row')}{was}"
    for guess in found.estimated:
        changed = numbers.short(", ".join(guess.doubted), 60)
        doubt = f", not to be relied on ({changed} changed)" if changed else ""
        yield (
            f"{numbers.metric(guess.metric)}, estimated without labels{doubt}: {numbers.scored(guess.now)}; "
            f"{numbers.scored(guess.before)} before. It assumes {guess.assumes}"
        )
