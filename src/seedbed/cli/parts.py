"""`seedbed parts`: the catalogue, and the page of a part."""

from __future__ import annotations

import json
import sys

from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.part import FAMILIES, Part

from .terminal import clean, say


def show_parts(family: str | None, name: str | None, *, as_json: bool) -> None:
    """Print the catalogue, a family of it, or a part's page.

    Raises:
        RecipeError: There is no such family or part.
    """
    from seedbed.recipe import catalogue
    from seedbed.recipe.pages import page

    family, name = _meant(family, name)
    found = [part for _, use, part in catalogue.parts(family) if name in (None, use)]
    if name is not None and not found:
        known = FAMILIES[family].catalogue if family else {}
        raise RecipeError(f"{family} has no {name[:40]!r}", at="seedbed parts", hint=did_you_mean(name, known))
    if as_json:
        say(json.dumps([catalogue.entry(part) for part in found], indent=2, ensure_ascii=False))
    elif name is not None:
        _show_markdown("\n\n".join(page(part) for part in found))
    else:
        say(listing(found))


def _meant(family: str | None, name: str | None) -> tuple[str | None, str | None]:
    """The family and name that were meant: `step` is `steps`, and a part's name alone will do."""
    if family is None or family in FAMILIES:
        return family, name
    if f"{family}s" in FAMILIES:
        return f"{family}s", name
    if name is None and any(family in head.catalogue for head in FAMILIES.values()):
        return None, family
    names = [*FAMILIES, *(use for head in FAMILIES.values() for use in head.catalogue)]
    raise RecipeError(
        f"there is no family or part {family[:40]!r}", at="seedbed parts", hint=did_you_mean(family, names)
    )


def listing(parts: list[type[Part]]) -> str:
    """Names and summaries, by family."""
    width = max((len(part.model_fields["use"].default) for part in parts), default=0)
    lines: list[str] = []
    for family in dict.fromkeys(part.family for part in parts):
        lines += ["", family] if lines else [family]
        for part in parts:
            if part.family == family:
                extra = f" (pip install 'seedbed[{part.extra}]')" if part.extra else ""
                lines.append(f"  {part.model_fields['use'].default:<{width}}  {part.summary()}{extra}")
    return "\n".join(lines)


def _show_markdown(text: str) -> None:
    if not sys.stdout.isatty():
        say(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=min(Console().width, 100)).print(Markdown(clean(text), hyperlinks=False))
