"""`seedbed show`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .terminal import say


def show_run(folder: Path, *, as_json: bool) -> None:
    """Show what a run came to, in colour on a terminal; `as_json`, print its record."""
    from seedbed.flow import open_run

    finished = open_run(folder)
    if as_json:
        say(json.dumps(finished.run.model_dump(mode="json"), indent=1, ensure_ascii=False))
        return
    from seedbed.report.told import plain, tell

    if not sys.stdout.isatty():
        say(plain(finished.run, finished.folder))
        return
    from rich.console import Console

    tell(finished.run, finished.folder, Console(markup=False, highlight=False, emoji=False))
