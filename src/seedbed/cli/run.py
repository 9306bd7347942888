"""`seedbed run`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from seedbed.core import numbers
from seedbed.core.check import Finding
from seedbed.core.run import Run

from .interrupting import ended_soon, let_ctrl_c_through
from .progress import shown_on
from .terminal import say


def run_recipe(  # noqa: PLR0913 (each option is an argument)
    path: Path,
    *,
    out: Path | None,
    workers: int | None,
    batch: int | None,
    overrides: Sequence[str],
    as_json: bool,
    cluster: str | None = None,
    limit: int | None = None,
    offline: bool = False,
    refresh: bool = False,
    ablate: bool = False,
) -> None:
    """Run a recipe and say what came of it; exits with 1 when a check or gate stopped it."""
    from seedbed.recipe import load

    let_ctrl_c_through()
    loaded = load(path, overrides)
    from seedbed import flow  # a wrong recipe is told without loading what would run it

    with ended_soon():
        finished = flow.run(
            loaded,
            out=out,
            workers=workers,
            batch=batch,
            progress=shown_on(),
            command=_command(
                path,
                {"--out": out, "--workers": workers, "--batch": batch, "--limit": limit},
                cluster,
                overrides,
                {"--offline": offline, "--refresh": refresh, "--ablate steps": ablate},
            ),
            cluster=cluster,
            limit=limit,
            offline=offline,
            refresh=refresh,
            ablate=ablate,
        )
    if as_json:
        say(json.dumps(facts(finished.run, finished.folder), indent=2, ensure_ascii=False))
    else:
        say("\n".join(summary(finished.run, finished.folder)))
    if finished.run.state == "failed":
        raise typer.Exit(1)


def preview_recipe(
    path: Path,
    *,
    workers: int | None,
    batch: int | None,
    limit: int | None,
    overrides: Sequence[str],
    as_json: bool,
    cluster: str | None = None,
    refresh: bool = False,
) -> None:
    """Say what a run would do, and write nothing."""
    from seedbed.recipe import load

    let_ctrl_c_through()
    loaded = load(path, overrides)
    from seedbed import flow

    from .preview import told

    with ended_soon():
        found = flow.preview(
            loaded,
            workers=workers,
            batch=batch,
            progress=shown_on(),
            limit=limit,
            refresh=refresh,
            cluster=cluster,
        )
    say(found.model_dump_json(indent=2) if as_json else "\n".join(told(found)))


def facts(run: Run, folder: Path) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "state": run.state,
        "stopped_by": list(run.stopped_by),
        "folder": str(folder),
        "report": str(folder / "report.html"),
        "limit": run.limit,
        "offline": run.offline,
        "digest": run.dataset.digest,
        "rows": run.rows.model_dump(mode="json"),
        "splits": run.dataset.splits,
        "best": run.best,
        "findings": [finding.model_dump(mode="json") for finding in run.findings],
        "notices": list(run.notices),
        "effects": [effect.model_dump(mode="json") for effect in run.effects],
        "ablation": None if run.ablation is None else run.ablation.model_dump(mode="json"),
        "waivers": [waived.model_dump() for waived in run.waivers],
        "published": list(run.published),
        "seconds": run.seconds,
    }


def summary(run: Run, folder: Path) -> list[str]:
    """What a person wants to know at the end: the verdict, where the rows went, the best model, where the report is."""
    from seedbed.report.closer import closer_lines
    from seedbed.report.paid import paid_lines
    from seedbed.report.told import best_lines, rows_line, worth_lines

    lines = [f"{run.name}: {run.state} in {numbers.typed(numbers.seconds(run.seconds))}"]
    lines += [f"  stopped by {reason}" for reason in run.stopped_by]
    lines += [f"  waived {waived.what}: {waived.reason}" for waived in run.waivers]
    found = (*best_lines(run), *paid_lines(run), *worth_lines(run), *closer_lines(run))
    lines += map(numbers.typed, [rows_line(run), *found])
    lines += [f"check failed, only a warning: {f.check}: {f.message}" for f in run.findings if _only_warns(f)]
    lines += [f"notice: {notice}" for notice in run.notices]
    for gate in run.gates:
        if not gate.passed:
            value = "no value" if gate.value is None else numbers.score(gate.value)
            asked = f"{gate.direction.replace('_', ' ')} {gate.limit:g}"
            lines.append(f"gate failed: {gate.metric} of {gate.model} on {gate.split} is {value}, not {asked}")
    lines += [f"published: {place}" for place in run.published]
    if run.blanks and any(reason.startswith("card") for reason in run.stopped_by):
        lines.append(
            "answer the card's questions (seedbed card RUN, or card.yaml beside the recipe); the report lists them"
        )
    if any(reason.startswith("licences: ") for reason in run.stopped_by):
        lines.append(
            "say under which licence each source is (license: CC-BY-4.0), leave out those that do not fit, or let it "
            "pass with a reason (waive: [{what: license, reason: …}])"
        )
    lines += [f"not published, because publishing failed: {place}" for place in run.unpublished]
    return [*lines, f"report: {folder / 'report.html'}"]


def _only_warns(finding: Finding) -> bool:
    return not finding.passed and finding.on_fail == "warn"


def _command(
    path: Path,
    given: Mapping[str, Any],
    cluster: str | None,
    overrides: Sequence[str],
    flags: Mapping[str, bool],
) -> str:
    words = ["seedbed", "run", str(path), *(["--engine", "ray"] if cluster is not None else [])]
    for option, value in {"--address": cluster or None, **given}.items():
        words += [option, str(value)] if value is not None else []
    for override in overrides:
        words += ["--set", override]
    return shlex.join([*words, *(word for flag, said in flags.items() if said for word in flag.split())])
