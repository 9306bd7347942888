"""Puts a finished run where it belongs, whole or not at all, and hands it to the exporters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.errors import DataError, told_as
from seedbed.core.exporter import Exporter
from seedbed.core.run import Run
from seedbed.flow.shipping.opened import hand_over
from seedbed.report.page import render
from seedbed.store.going import Journal
from seedbed.store.places import arriving, left_beside, move_into_place, refuse_replacing, sweep, write_whole
from seedbed.store.store import Store

from .register import register_run

RUN_FILE, REPORT_FILE = "run.json", "report.html"


def clear_place(out: Path | None, context: Context) -> None:
    """Remove what killed runs left half-made, and refuse a folder that holds something else, before anything runs.

    From then on the store knows what the run uses.

    Raises:
        RecipeError: The place exists and holds more than a run.
    """
    Store.of(context).sweep()
    if out is None:
        sweep((context.base / "runs").glob("*/.*"))
    else:
        sweep(left_beside(out.resolve()))
        _refuse(out, context)
    if isinstance(context.used, Journal):
        context.used.begin(context.store)


def _refuse(out: Path, context: Context) -> None:
    refuse_replacing(out, base=context.base, store=context.store, at=f"--out {out}")


def place_run(built: Path, out: Path | None, context: Context, run: Run) -> Path:
    """Move a built run to its place and enter it in the index of runs.

    Without `out` the place is `runs/NAME/ID` by the recipe, and `latest` points to it unless it is a quick look.
    """
    if out is not None:
        _refuse(out, context)
        move_into_place(built, out.resolve())
        register_run(out, run, context)
        return out
    place = context.base / "runs" / run.name / run.id
    move_into_place(built, place)
    register_run(place, run, context)
    if run.limit is not None:
        return place
    latest = place.parent / "latest"
    with arriving(latest) as link:
        link.symlink_to(place.name)
    return place


def write_record(folder: Path, run: Run) -> None:
    """Write what machines read and what people read about a run."""
    write_whole(folder / RUN_FILE, (run.model_dump_json(indent=1) + "\n").encode())
    write_whole(folder / REPORT_FILE, render(run).encode())


def publish_run(folder: Path, exporters: Sequence[Exporter], run: Run, context: Context) -> Run:
    """Hand the run to each exporter. The record says where it goes before it goes, so that every copy says it, too.

    Raises:
        SeedbedError: An exporter failed. The run stays, and its own record says what was published and what not.
    """
    places, before = [exporter.place for exporter in exporters], run.published
    run = run.model_copy(update={"published": _once(before, places)})
    write_record(folder, run)
    done = 0
    try:
        with context.stage("Publishing", len(exporters), "places") as stage:
            for exporter in exporters:
                with told_as(DataError, exporter.use):
                    told = hand_over(exporter, folder, context)
                for one in told:
                    context.progress.say(f"{exporter.use}: {one}")
                done += 1
                stage.advance(1, exporter.place)
    finally:
        if done < len(places):
            left = {"published": _once(before, places[:done]), "unpublished": tuple(places[done:])}
            write_record(folder, run.model_copy(update=left))
            context.progress.say(f"the run is in {folder}; it was not published to {', '.join(places[done:])}")
    return run


def _once(before: Sequence[str], places: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *places)))
