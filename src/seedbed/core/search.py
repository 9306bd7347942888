"""Where the best value of an option is looked for: said next to the option, shown on its page, read by what tunes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Range(BaseModel):
    """Numbers from one to another, both of which may be tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float = Field(allow_inf_nan=False, description="The least value that is tried.")
    high: int | float = Field(allow_inf_nan=False, description="The largest.")
    log: bool = Field(False, description="Whether twice as much is as far as from 1 to 2, wherever it begins.")

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low, {self.low:g}, must be below high, {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low, {self.low:g}, must be above 0 where the range is logarithmic")
        return self

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{' (logarithmic)' if self.log else ''}"


#: A range of numbers, or a list of values.
Space = Range | list[Any]


class Search:
    """Says where the best value of an option is looked for: `c: Annotated[float, Search(0.01, 100, log=True)] = 1.0`.

    It stands in the option's JSON Schema as `search`. It limits nothing: that is what the option's own limits are for,
    and whoever tunes may look elsewhere.
    """

    def __init__(self, low: float, high: float, *, log: bool = False) -> None:
        self.space: Space = Range(low=low, high=high, log=log)

    @classmethod
    def among(cls, *values: Any) -> Self:
        """Some values: `kind: Annotated[Kind, Search.among("complement", "multinomial")] = "complement"`."""
        found = cls.__new__(cls)
        found.space = json.loads(json.dumps(values))  # as a recipe would list them
        return found

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The option's own schema, and where it is searched."""
        return handler(schema) | {"search": in_json(self.space)}


def in_json(space: Space) -> Any:
    """A space as a recipe says it."""
    return space.model_dump() if isinstance(space, Range) else space


def spaces_of(options: type[BaseModel]) -> Mapping[str, Space]:
    """The options that say where their best value is looked for, in order."""
    return {
        name: said.space
        for name, field in options.model_fields.items()
        for said in field.metadata
        if isinstance(said, Search)
    }
