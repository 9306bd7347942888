"""`seedbed parts`: the catalogue, and the page of a part."""

from __future__ import annotations

import json
import sys

from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.part import FAMILIES, Part
from seedbed.core.task import Task

from .terminal import clean, say

_TASKS = ("task", "tasks")


def show_parts(family: str | None, name: str | None, *, as_json: bool) -> None:
    """Print the catalogue, a family of it, or a part's page.

    Raises:
        RecipeError: There is no such family or part.
    """
    from seedbed.recipe import catalogue
    from seedbed.recipe.pages import page

    if told := _tasks(family, name):
        _show_tasks(told, whole=family not in _TASKS or name is not None, as_json=as_json)
        return
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


def _tasks(family: str | None, name: str | None) -> dict[str, type[Task]]:
    """Tasks that were meant, by kind: they are no parts, and stand under `task` in a recipe; none where parts were.

    Raises:
        RecipeError: There is no such task.
    """
    from seedbed.recipe.catalogue import TASKS

    if name is None and family in TASKS:
        return {family: TASKS[family]}
    if family not in _TASKS:
        return {}
    if name is not None and name not in TASKS:
        raise RecipeError(f"tasks has no {name[:40]!r}", at="seedbed parts", hint=did_you_mean(name, TASKS))
    return dict(TASKS) if name is None else {name: TASKS[name]}


def _show_tasks(told: dict[str, type[Task]], *, whole: bool, as_json: bool) -> None:
    from seedbed.recipe.pages import task_page

    if as_json:
        entries = [
            {"family": "tasks", "kind": kind, "summary": task.summary(), "schema": task.model_json_schema()}
            for kind, task in told.items()
        ]
        say(json.dumps(entries, indent=2, ensure_ascii=False))
    elif whole:
        _show_markdown("\n\n".join(task_page(task) for task in told.values()))
    else:
        width = max(map(len, told))
        say("\n".join(["tasks", *(f"  {kind:<{width}}  {task.summary()}" for kind, task in told.items())]))


def _meant(family: str | None, name: str | None) -> tuple[str | None, str | None]:
    """The family and name that were meant: `step` is `steps`, and a part's name alone will do."""
    if family is None or family in FAMILIES:
        return family, name
    if f"{family}s" in FAMILIES:
        return f"{family}s", name
    if name is None and any(family in head.catalogue for head in FAMILIES.values()):
        return None, family
    names = dict.fromkeys(["tasks", *FAMILIES, *(use for head in FAMILIES.values() for use in head.catalogue)])
    hint = did_you_mean(family, names)
    if hint.startswith("known:"):
        hint = f"families: tasks, {', '.join(FAMILIES)}"
    raise RecipeError(f"there is no family or part {family[:40]!r}", at="seedbed parts", hint=hint)


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
