"""What a request asks: read from its body, bounded, and described for OpenAPI as this model wants it."""

from __future__ import annotations

from typing import Any, cast

import polars as pl
from pydantic import ValidationError

from seedbed.core.errors import DataError
from seedbed.core.task import Says

from .answers import Asked, AskedInTurns, asked_as
from .limits import MOST_CHARACTERS, MOST_ROWS
from .predictor import Predictor

_SUCH_AS = 'send {"text": "…"} or {"rows": [{COLUMN: value}, …]} as application/json'
_LONGEST_PLACE = 200


class TooMuchError(DataError):
    """A request asks for more than is served."""


def read(body: bytes, says: Says) -> Asked | AskedInTurns:
    """A request's body.

    Raises:
        DataError: It is not JSON, or not of the right shape. What it holds is not repeated, but its place.
    """
    try:
        asked = asked_as(says).model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise DataError("the body is not JSON that can be read", at="body", hint=_SUCH_AS) from None
        place = ".".join(map(str, first["loc"]))[:_LONGEST_PLACE]
        raise DataError(first["msg"], at=place or "body", hint=_SUCH_AS) from None
    return cast("Asked | AskedInTurns", asked)


def table(predictor: Predictor, asked: Asked | AskedInTurns) -> pl.DataFrame:
    """The rows that are asked about, as a frame with the model's inputs.

    Raises:
        TooMuchError: They are too many, or a text is too long.
        DataError: It is neither a text nor rows, or an input is missing.
    """
    if len(asked.model_fields_set) != 1 or (asked.text is None and asked.rows is None):
        raise DataError("give either `text` or `rows`", at="body", hint=_SUCH_AS)
    rows: list[Any] = [asked.text] if asked.rows is None else asked.model_dump(exclude_unset=True)["rows"]
    if len(rows) > MOST_ROWS:
        raise TooMuchError(f"{len(rows):,} rows are more than {MOST_ROWS:,}", at="rows", hint="ask in several requests")
    for place, row in enumerate(rows):
        for value in row.values() if isinstance(row, dict) else [row]:
            if (length := _length(value)) > MOST_CHARACTERS:
                raise TooMuchError(
                    f"a text of {length:,} characters is longer than {MOST_CHARACTERS:,}",
                    at="text" if asked.rows is None else f"rows.{place}",
                    hint="send a part of it",
                )
    return predictor.table(rows)


def _length(value: Any) -> int:
    """Characters of a value; of turns, of all that is said."""
    if isinstance(value, list | dict):
        return sum(map(_length, value.values() if isinstance(value, dict) else value))
    return len(value) if isinstance(value, str) else 0


def schema(predictor: Predictor) -> dict[str, Any]:
    """The JSON Schema of what may be asked of this model."""
    turned = predictor.bundle.task.says == "turns"
    text = {"type": "string", "maxLength": MOST_CHARACTERS}
    whole = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
    value: list[dict[str, Any]] = [text, whole, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]
    if turned:
        said = {"type": ["string", "null"], "maxLength": MOST_CHARACTERS}
        value.append({"type": "array", "items": {"type": "object", "properties": {"role": said, "content": said}}})
    named = [[one.name, *one.known_as] for one in predictor.preparation.inputs]
    row: dict[str, Any] = {
        "type": "object",
        "allOf": [{"anyOf": [{"required": [name]} for name in names]} for names in named],
        "properties": {name: {"anyOf": value} for names in named for name in names},
        "additionalProperties": {"anyOf": value},
    }
    rows = {"type": "array", "items": row, "maxItems": MOST_ROWS, "description": "Rows: COLUMN to value."}
    shapes = [{"rows": rows}]
    if len(named) == 1:
        shapes.append({"text": text | {"description": "A text, for a model that reads one column."}})
    return {
        "oneOf": [
            {"type": "object", "properties": shape, "required": list(shape), "additionalProperties": False}
            for shape in shapes
        ]
    }
