"""`seedbed schema`."""

from __future__ import annotations

import json

from seedbed.core.errors import RecipeError, did_you_mean

from .terminal import say


def show_schema(what: str) -> None:
    """Print a JSON Schema.

    Raises:
        RecipeError: There is no such schema.
    """
    if what == "recipe":
        from seedbed.recipe import schema

        found = schema()
    elif what == "card":
        from seedbed.publish.papers.answers import card_schema

        found = card_schema()
    elif what == "run":
        from seedbed.core.run import Run

        found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Run.model_json_schema()}
    else:
        raise RecipeError(f"there is no schema {what[:40]!r}", at="seedbed schema", hint=did_you_mean(what, _KNOWN))
    say(json.dumps(found, indent=2, ensure_ascii=False))


_KNOWN = ("recipe", "card", "run")
