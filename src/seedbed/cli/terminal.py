"""Text for a terminal: whatever stands in data, a recipe or a page, it cannot steer the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable

import typer

from seedbed.core.showing import clean

__all__ = ["clean", "complain", "say", "survive_any_encoding", "warn"]

MOST_LINES = 5


def say(text: str) -> None:
    """Print facts to standard output."""
    typer.echo(clean(text))


def complain(text: str) -> None:
    """Print to standard error, five lines at most."""
    lines = clean(text).splitlines()
    typer.echo("\n".join(lines[:MOST_LINES]), err=True)


def warn(lines: Iterable[str]) -> None:
    """Print to standard error what goes on without, a line each; of many, the first few."""
    found = [f"warning: {line}" for line in lines]
    more = [f"… and {len(found) - MOST_LINES + 1} more"] if len(found) > MOST_LINES else []
    if found:
        complain("\n".join([*found[: MOST_LINES - len(more)], *more]))


def survive_any_encoding() -> None:
    """A terminal that cannot show a character shows a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
