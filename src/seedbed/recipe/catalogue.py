"""What a recipe may name, and its JSON Schema: both are made from the parts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from seedbed.core.part import FAMILIES, Part
from seedbed.core.task import AnyTask, Task

from .faults import ONE_OF
from .recipe import Recipe

TASKS: dict[str, type[Task]] = {task.model_fields["kind"].default: task for task in get_args(get_args(AnyTask)[0])}
"""What a recipe can say under `task`, by kind."""


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of recipes, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Recipe.model_json_schema(),
        "title": "Seedbed recipe",
    }


def parts(family: str | None = None) -> Iterator[tuple[str, str, type[Part]]]:
    """Family, name and class of every part: families as a run meets them, parts by name."""
    for name in ONE_OF:
        if family in (None, name):
            for use, part in sorted(FAMILIES[name].catalogue.items()):
                yield name, use, part


def entry(part: type[Part]) -> dict[str, Any]:
    """A part's entry in the catalogue."""
    return {
        "family": part.family,
        "use": part.model_fields["use"].default,
        "summary": part.summary(),
        "extra": part.extra,
        "schema": part.model_json_schema(),
    }
