"""What a request asks: read from its body, bounded, and described for OpenAPI as this model wants it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import polars as pl
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from seedbed.core.errors import DataError
from seedbed.core.task import Says

from .answers import Asked, AskedInTurns, Said, asked_as
from .limits import MOST_CHARACTERS, MOST_ROWS
from .predictor import Predictor

_SUCH_AS = 'send {"text": "…"} or {"rows": [{COLUMN: value}, …]} as application/json'
_LONGEST_PLACE = 200
#: Members that a body has at most, beside those of its rows.
_MOST_MEMBERS = 32
_Shape = TypeVar("_Shape", bound=BaseModel)


class TooMuchError(DataError):
    """A request asks for more than is served."""


def read(body: bytes, says: Says) -> Asked | AskedInTurns:
    """A request's body.

    Raises:
        DataError: It is not JSON, or not of the right shape. What it holds is not repeated, but its place.
    """
    return cast("Asked | AskedInTurns", shaped(asked_as(says), body, such_as=_SUCH_AS, turned=says == "turns"))


def shaped(shape: type[_Shape], body: bytes, *, such_as: str, turned: bool = False) -> _Shape:
    """A body of some shape, which may hold rows (COLUMN to value). It costs the less, the sooner something is wrong.

    Args:
        shape: The shape.
        body: The body.
        such_as: The hint.
        turned: Whether a value may be turns of a conversation.

    Raises:
        TooMuchError: It holds more than is served.
        DataError: It is not JSON, or not of that shape. What it holds is not repeated, but its place.
    """
    try:
        whole = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise DataError("the body is not JSON that can be read", at="body", hint=such_as) from None
    try:
        _check_rows(whole, turned)
        return shape.model_validate(whole)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise DataError(first["msg"], at=_place(*first["loc"]) or "body", hint=such_as) from None
    except _WrongError as error:
        raise DataError(error.problem, at=_place(*error.at), hint=such_as) from None


class _WrongError(Exception):
    def __init__(self, problem: str, *at: object) -> None:
        super().__init__(problem)
        self.problem, self.at = problem, at


def _place(*at: object) -> str:
    return ".".join(map(str, at))[:_LONGEST_PLACE]


def _check_rows(whole: Any, turned: bool) -> None:
    """Stop at the first value that is none: pydantic would make an error of each, millions in a body of 4 MB."""
    if not isinstance(whole, dict):
        raise _WrongError("the body is no object", "body")
    if len(whole) > _MOST_MEMBERS:
        raise _WrongError(f"the body has {len(whole):,} members", "body")
    for name, member in whole.items():
        rows = member if isinstance(member, list) else [member]
        if len(rows) > MOST_ROWS:
            raise TooMuchError(
                f"{len(rows):,} rows are more than {MOST_ROWS:,}", at=_place(name), hint="ask in several requests"
            )
        for place, row in enumerate(rows):
            at = (name, place) if rows is member else (name,)
            for column, value in row.items() if isinstance(row, dict) else ():
                _check_value(value, turned, *at, column)


def _check_value(value: Any, turned: bool, *at: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _WrongError("a number beyond 64 bits", *at)
    if isinstance(value, dict) or (isinstance(value, list) and not turned):
        raise _WrongError("a value is a text, a number, true, false or null", *at)
    if isinstance(value, list) and len(value) > MOST_ROWS:
        raise TooMuchError(
            f"{len(value):,} turns are more than {MOST_ROWS:,}", at=_place(*at), hint="send the last ones"
        )
    for place, one in enumerate(value) if isinstance(value, list) else ():
        if not isinstance(one, Mapping):
            raise _WrongError("a turn is an object", *at, place)
        try:
            Said.model_validate(one, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise _WrongError(first["msg"], *at, place, *first["loc"]) from None


def table(predictor: Predictor, asked: Asked | AskedInTurns) -> pl.DataFrame:
    """The rows that are asked about, as a frame with the model's inputs.

    Raises:
        TooMuchError: They are too many, or a text is too long.
        DataError: It is neither a text nor rows, or an input is missing.
    """
    if len(asked.model_fields_set) != 1 or (asked.text is None and asked.rows is None):
        raise DataError("give either `text` or `rows`", at="body", hint=_SUCH_AS)
    rows: list[Any] = [asked.text] if asked.rows is None else asked.model_dump(exclude_unset=True)["rows"]
    return table_of(predictor, rows, at="text" if asked.rows is None else "rows.{}")


def table_of(predictor: Predictor, rows: list[Any], *, at: str = "row") -> pl.DataFrame:
    """Texts or mappings as a frame with the model's inputs.

    Args:
        predictor: The model.
        rows: They.
        at: Where one stands in the request, with `{}` for its place.

    Raises:
        TooMuchError: They are too many, or a text is too long.
        DataError: An input is missing, or cannot be read.
    """
    if len(rows) > MOST_ROWS:
        raise TooMuchError(f"{len(rows):,} rows are more than {MOST_ROWS:,}", at="rows", hint="ask in several requests")
    for place, row in enumerate(rows):
        for value in row.values() if isinstance(row, dict) else [row]:
            if (length := _length(value)) > MOST_CHARACTERS:
                raise TooMuchError(
                    f"a text of {length:,} characters is longer than {MOST_CHARACTERS:,}",
                    at=at.format(place),
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


def is_json(kind: str) -> bool:
    """Whether a body of that media type is JSON."""
    name = kind.partition(";")[0].strip().lower()
    return name == "application/json" or (name.startswith("application/") and name.endswith("+json"))
