"""Text for a terminal: whatever stands in data, a recipe or a page, it cannot steer the terminal."""

from __future__ import annotations

import io
import sys

import typer

from seedbed.core.showing import clean

__all__ = ["clean", "complain", "say", "survive_any_encoding"]

MOST_LINES = 5


def say(text: str) -> None:
    """Print facts to standard output."""
    typer.echo(clean(text))


def complain(text: str) -> None:
    """Print to standard error, five lines at most."""
    lines = clean(text).splitlines()
    typer.echo("\n".join(lines[:MOST_LINES]), err=True)


def survive_any_encoding() -> None:
    """A terminal that cannot show a character shows a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
