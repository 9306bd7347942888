"""map_values: rename values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from seedbed.core.part import Column, Example
from seedbed.core.step import Map
from seedbed.core.values import Value, text_of

from .renaming.accepted import FromFile

# YAML reads a bare `null` as no value at all, and so do we.
_Otherwise = Annotated[
    Literal["keep", "null"],
    BeforeValidator(
        lambda given: "null" if given is None else given, json_schema_input_type=Literal["keep", "null"] | None
    ),
]


class MapValues(FromFile, Map):
    """Replaces values of a column by others, such as labels that are spelt in several ways.

    ## Why
    `pos`, `Positive` and `1` are one label. Two sources rarely agree on how to write it, and a model takes each
    spelling for a class of its own.

    ## Limits
    The column becomes text. Values are compared whole, as text and with their case: a whole number reads `1`, a
    decimal `1.0`, truth `true`. Missing values stay missing.
    """

    use: Literal["map_values"] = "map_values"
    column: Column = Field(description="Column to rewrite.")
    values: dict[Value, Value | None] = Field(
        default_factory=dict, description="New values, as OLD: NEW; null as NEW makes the value missing."
    )
    file: str | None = Field(
        None,
        description="File beside the recipe with more of them: YAML, or CSV with the columns old, new and, if not all "
        "count, accept; what `merge_categories` proposes is such a file. What it holds is then in `values`.",
    )
    otherwise: _Otherwise = Field(
        "keep", description="What becomes of values that `values` does not name: they stay, or are made missing."
    )

    into: ClassVar[str] = "values"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="One spelling a label",
            options={"column": "label", "values": {"pos": "positive", "neg": "negative", "n/a": None}},
            before={"label": ["pos", "positive", "neg", "n/a", None]},
            after={"label": ["positive", "positive", "negative", None, None]},
        ),
        Example(
            title="Numbers to names; what is not named is missing",
            options={"column": "label", "values": {0: "ham", 1: "spam"}, "otherwise": "null"},
            before={"label": [0, 1, 7]},
            after={"label": ["ham", "spam", None]},
        ),
        Example(
            title="Those of a list that a person has looked through",
            options={"column": "label", "file": "labels.csv"},
            files={"labels.csv": ["old,new,rows,accept", "Pos,positive,12,yes", "negativ,negative,3,yes", "ok,bad,1,"]},
            before={"label": ["Pos", "negativ", "ok"]},
            after={"label": ["positive", "negative", "ok"]},
        ),
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not self.values:
            raise ValueError("map_values has nothing to do: name new `values`, as OLD: NEW, or a `file` with some")
        return self

    def columns(self) -> Sequence[pl.Expr]:
        """The column with its new values."""
        old = pl.Series(list(self.values), dtype=pl.String)
        new = pl.Series(list(self.values.values()), dtype=pl.String)
        if self.otherwise == "null":
            return [text_of(self.column).replace_strict(old, new, default=None, return_dtype=pl.String)]
        return [text_of(self.column).replace(old, new)]
