"""Puts a finished run where it belongs, whole or not at all, and hands it to the exporters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.exporter import Exporter
from seedbed.core.run import Run
from seedbed.report import render
from seedbed.store.store import move_into_place, write_whole

RUN_FILE, REPORT_FILE = "run.json", "report.html"


def refuse_place(out: Path | None) -> None:
    """Refuse a folder that holds something else, before anything runs.

    Raises:
        RecipeError: The place exists and is no run.
    """
    if out is None or not out.exists():
        return
    if not out.is_dir():
        raise RecipeError(f"{out} is a file, not a folder for a run", hint="choose another --out")
    if any(out.iterdir()) and not (out / RUN_FILE).is_file():
        raise RecipeError(
            f"{out} holds something that is no run of Seedbed; it is left alone",
            hint="choose another --out, or empty it",
        )


def place_run(built: Path, out: Path | None, base: Path, run: Run) -> Path:
    """Move a built run to its place; without `out` that is `runs/NAME/ID` by the recipe, and `latest` points to it."""
    if out is not None:
        refuse_place(out)
        move_into_place(built, out.absolute())
        return out
    place = base / "runs" / run.name / run.id
    move_into_place(built, place)
    latest, fresh = place.parent / "latest", place.parent / f".latest.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(place.name)
    fresh.replace(latest)
    return place


def write_record(folder: Path, run: Run) -> None:
    """Write what machines read and what people read about a run."""
    write_whole(folder / RUN_FILE, (run.model_dump_json(indent=1) + "\n").encode())
    write_whole(folder / REPORT_FILE, render(run).encode())


def publish_run(folder: Path, exporters: Sequence[Exporter], run: Run, context: Context) -> Run:
    """Hand the run to each exporter; the record then says where it went."""
    published: list[str] = []
    with context.stage("Publishing", len(exporters), "places") as stage:
        for exporter in exporters:
            published.append(exporter.export(folder, context))
            stage.advance(1, published[-1])
    run = run.model_copy(update={"published": tuple(published)})
    write_record(folder, run)
    return run
