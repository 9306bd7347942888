"""What a person says of the source before anybody has looked at it: `seedbed init FILE --set sources.0.sheet=May`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.source import Source
from seedbed.flow.recognising import TOLD, Recognised, recognise
from seedbed.recipe import parse
from seedbed.recipe.overrides import overridden

_PLACE = "sources.0."


def given_of(settings: Sequence[str]) -> dict[str, Any]:
    """Options of the source, by name.

    Args:
        settings: `sources.0.NAME=VALUE`, values read as YAML.

    Raises:
        RecipeError: One is something else.
    """
    for text in settings:
        if not text.startswith(_PLACE):
            hint = f"such as --set {_PLACE}sheet=May; all else is changed in the recipe that is written"
            raise RecipeError("says nothing of how the file is read", at=f"--set {text}", hint=hint)
    data: dict[str, Any] = {"sources": [{}]}
    overridden(data, settings)
    given: dict[str, Any] = data["sources"][0]
    return given


def read_as(path: str, given: Mapping[str, Any], context: Context) -> Recognised:
    """A file, read as a person says, and for the rest as its contents tell.

    Raises:
        DataError: It cannot be read; says which option would help where one would.
        RecipeError: The source has no such option.
    """
    with _naming_options():
        return recognise(path, context, (lambda use: _source(use, path, given)) if given else None)


def _source(use: str, path: str, given: Mapping[str, Any]) -> Source:
    """The source as a recipe would have it, refused as there."""
    task = {"kind": "text_classification", "text": "text", "label": "label"}
    recipe = {"seedbed": 1, "name": "init", "task": task, "sources": [{"use": use, "path": path, **given}]}
    return parse(recipe, Path.cwd()).recipe.sources[0]


@contextmanager
def _naming_options() -> Iterator[None]:
    """Where an error names an option of a source as the way out, say how it is given here."""
    try:
        yield
    except DataError as error:
        options = {name for kind in TOLD for name in kind.model_fields}
        named = next((name for name in re.findall(r"`(\w+)`", error.hint) if name in options), None)
        if named is None:
            raise
        raise DataError(error.problem, at=error.at, hint=f"{error.hint} (here: --set {_PLACE}{named}=…)") from None
