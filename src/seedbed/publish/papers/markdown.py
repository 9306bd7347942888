"""Markdown in which every text is escaped unless it was written here.

Templates print values through `_shown`: text is escaped, numbers are written as everywhere (`core/numbers.py`). What is
already Markdown is marked as `Markup`. Escapes follow GitHub Flavored Markdown (https://github.github.com/gfm/).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from seedbed.core import numbers

if TYPE_CHECKING:
    from jinja2 import Environment

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ACTIVE = re.compile(r"[\\`*_\[\]|~$&<>]")
# What would begin a heading, list, rule or setext underline at the start of a line.
_START = re.compile(r"^ ?([#+=-]|\d{1,9}(?=[.)]( |$)))")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """A text without line breaks and control characters."""
    return _BLANK.sub(" ", text).strip()


def plain(text: str) -> Markup:
    """A text on one line that shows as it is: no markup, no HTML, and no cell of a table ends in it."""
    shown = _ACTIVE.sub(lambda found: _HTML.get(found[0], "\\" + found[0]), _BLANK.sub(" ", text))
    return Markup(_START.sub(_escaped_start, shown))


def _escaped_start(found: re.Match[str]) -> str:
    # A digit cannot be escaped; the entity of one can stand for it.
    return f"&#{ord(found[1][0])};{found[1][1:]}" if found[1][0].isdigit() else "\\" + found[1]


def code(text: str) -> Markup:
    """A name as code; one with characters that could end the code is only escaped."""
    return Markup(f"`{text}`") if re.fullmatch(r"[\w.,:/#@%+-]+", text) else plain(text)


def fenced(text: str, language: str = "") -> Markup:
    """Lines as they are, in a code block that they cannot end."""
    clean = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", text).rstrip()
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", clean)), default=0))
    return Markup(f"{fence}{language}\n{clean}\n{fence}")


def listed(texts: tuple[str, ...]) -> Markup:
    """One text as paragraphs (empty lines divide them), several as a list."""
    if len(texts) == 1:
        return Markup("\n\n").join(plain(piece.strip()) for piece in re.split(r"\n\s*\n", texts[0]) if piece.strip())
    return Markup("\n").join(Markup("- ") + plain(text) for text in texts)


def _shown(value: Any) -> Any:
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool | int | float):
        return numbers.fact(value)
    return "" if value is None else plain(str(value))


def _written(write: Callable[..., str]) -> Callable[..., Markup]:
    """A number as written, with nothing in it to escape but a `<`."""
    return lambda *of: Markup(write(*of).replace("<", "&lt;").replace(">", "&gt;"))


@cache
def _environment() -> Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("seedbed.publish.papers"),
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters.update(code=code, fenced=fenced, things=numbers.things)
    for name in ("percent", "signed", "scored", "interval", "probability"):
        made.filters[name] = _written(getattr(numbers, name))
    return made


def render(template: str, **values: Any) -> str:
    """A template of this folder filled in; runs of empty lines become one, except in code blocks."""
    text = _environment().get_template(template).render(**values)
    pieces = re.split(r"(^(`{3,}).*?^\2$)", text, flags=re.MULTILINE | re.DOTALL)
    # `re.split` gives text, block, fence in turn.
    return "".join(
        piece if i % 3 == 1 else re.sub(r"\n{3,}", "\n\n", piece) for i, piece in enumerate(pieces) if i % 3 != 2
    )
