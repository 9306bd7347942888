"""Lines of YAML with comments, for files that a program writes and a person goes on with."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence

import yaml

from seedbed.core.documents import scalar

#: Where a line of comment ends.
WIDTH = 116


def quoted(value: str) -> str:
    """A text as a YAML scalar that fits anywhere: in a block, a list, a mapping, as a key or in a comment."""
    plain = len(value) <= 80 and re.fullmatch(r"[^\W\d][\w.]*(?:[ /-][\w.]+)*", value)
    if plain and isinstance(scalar(value), str) and isinstance(yaml.safe_load(value), str) and value.isprintable():
        return value
    if value.isprintable() and "\\" not in value and '"' in value and "'" not in value:
        return f"'{value}'"
    return re.sub(r"[^\n]", _escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0].isprintable() and code < 0xFFFE:
        return found[0]
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}" if not found[0].isprintable() else found[0]


def listed(values: Iterable[str]) -> str:
    """A YAML list on one line."""
    return f"[{', '.join(map(quoted, values))}]"


def beside(line: str, why: str) -> str:
    """A line with a comment at its end."""
    column = 32 if len(line) <= 32 else 56
    return f"{line:<{column}} # {why}" if why else line


def with_why(line: str, why: str) -> list[str]:
    """A line with a comment at its end, or above it where there is no room."""
    together = beside(line, why)
    if len(together) <= WIDTH + 4:
        return [together]
    return [*comment(why, line[: len(line) - len(line.lstrip())]), line]


def comment(text: str, indent: str = "") -> list[str]:
    """Lines of comment."""
    start = f"{indent}# "
    return textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=start, break_long_words=False, break_on_hyphens=False
    )


def filled(start: str, items: Sequence[str], end: str) -> list[str]:
    """Items between a start and an end, on as many lines as they take."""
    lines, line = [], start
    for place, item in enumerate(items):
        piece = item + (", " if place < len(items) - 1 else "")
        if len(line) + len(piece) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * len(start)
        line += piece
    return [*lines, line + end]
