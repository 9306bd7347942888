"""Tells trackers about a run that stands at its place. Nothing that goes wrong there harms the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.errors import DataError, SeedbedError, told_as
from seedbed.core.run import Run
from seedbed.core.tracker import Tracker


def track_run(trackers: Sequence[Tracker], run: Run, folder: Path, context: Context) -> None:
    """Hand the run to each tracker and say where it can be seen; one that fails is told, and the next goes on."""
    for tracker in trackers:
        try:
            with context.stage(f"Tracking with {tracker.use}"), told_as(DataError, tracker.use):
                seen = tracker.track(run, folder, context)
        except SeedbedError as error:
            context.progress.say(f"the run is in {folder}, but was not tracked: {error.in_a_line()}")
        else:
            context.progress.say(f"tracked: {seen}")
