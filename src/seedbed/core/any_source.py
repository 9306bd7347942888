"""A source inside a part's options, written as one under `sources`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from .errors import did_you_mean
from .source import Source


def a_source(given: Any) -> Source:
    """A source from what a recipe says under an option; its `use` stays said.

    Raises:
        ValidationError: It names no source that is known, or an option is wrong: with its place below the option.
    """
    if isinstance(given, Source):
        given = {"use": given.use, **given.model_dump(exclude_unset=True)}
    if not isinstance(given, Mapping) or "use" not in given:
        raise _refused((), "needs a source, as under `sources`", "such as {use: csv, path: prices.csv}")
    name = str(given["use"])
    known = Source.named(name)
    if known is None:
        raise _refused(("use",), f"there is no source {name[:40]!r}", did_you_mean(name, Source.catalogue))
    found = known.model_validate(dict(given))
    assert isinstance(found, Source)
    return found


def _refused(at: tuple[str, ...], problem: str, hint: str) -> ValidationError:
    error = PydanticCustomError("seedbed", "{problem}: {hint}", {"problem": problem, "hint": hint})
    return ValidationError.from_exception_data("source", [InitErrorDetails(type=error, loc=at, input=None)])


#: What the JSON Schema says of a source inside a part.
SCHEMA = {"type": "object", "required": ["use"], "properties": {"use": {"type": "string"}}}
AnySource = Annotated[SerializeAsAny[Source], BeforeValidator(a_source), WithJsonSchema(SCHEMA)]
