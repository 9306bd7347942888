"""Text for a terminal: whatever stands in data, a recipe or a page, it cannot steer the terminal."""

from __future__ import annotations

import io
import re
import sys

import typer

#: Control characters (C0 but tab and line feed, DEL, C1), and those that reorder text.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")

MOST_LINES = 5


def clean(text: str) -> str:
    """Text without characters that a terminal would obey."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


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
