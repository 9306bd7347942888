"""What it means that a value is missing, is this text, or is one that a recipe names: the same for steps and checks."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import polars.selectors as cs
from pydantic import BeforeValidator


def _as_text(value: object) -> object:
    if isinstance(value, bool | int | float):
        return pl.Series([value]).cast(pl.String)[0]
    return value


#: A value as a recipe names it. Numbers and true/false become the text that `text_of` makes of them in a column.
Value = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int | float | bool)]


def text_of(column: str) -> pl.Expr:
    """A column's values as text: `1`, `1.5`, `true`; null stays null."""
    return pl.col(column).cast(pl.String)


def is_missing(column: str, *, blank: bool = True) -> pl.Expr:
    """Whether a value is null, NaN or, if `blank`, a string of nothing but whitespace. Never null, for any type."""
    own = cs.by_name(column)
    # A selector that fits no column adds nothing, so that no type sees a question that is not for it.
    tests = [pl.col(column).is_null(), (own & cs.float()).is_nan()]
    if blank:
        tests.append((own & cs.string()).str.strip_chars().str.len_bytes() == 0)
    return pl.any_horizontal(tests)
