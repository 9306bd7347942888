"""A source inside a part's options, written as one under `sources`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError, WithJsonSchema

from .errors import RecipeError, did_you_mean
from .source import Source


def a_source(given: Any, option: str = "source") -> Source:
    """A source from what a recipe says under an option; its `use` stays said.

    Raises:
        RecipeError: It names no source that is known, or an option that the source does not have.
    """
    if isinstance(given, Source):
        given = {"use": given.use, **given.model_dump(exclude_unset=True)}
    if not isinstance(given, Mapping) or "use" not in given:
        raise RecipeError(f"`{option}` needs a source, as under `sources`", hint="such as {use: csv, path: prices.csv}")
    known = Source.catalogue.get(str(given["use"]))
    if known is None:
        raise RecipeError(
            f"`{option}` names {str(given['use'])[:40]!r}, which is no source",
            hint=did_you_mean(str(given["use"]), Source.catalogue),
        )
    try:
        found = known.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        hint = did_you_mean(at, known.model_fields) if first["type"] == "extra_forbidden" else ""
        raise RecipeError(f"`{option}.{at}`: {first['msg']}", hint=hint) from None
    assert isinstance(found, Source)
    return found


#: What the JSON Schema says of a source inside a part.
SCHEMA = {"type": "object", "required": ["use"], "properties": {"use": {"type": "string"}}}
AnySource = Annotated[SerializeAsAny[Source], BeforeValidator(a_source), WithJsonSchema(SCHEMA)]
