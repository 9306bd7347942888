"""What it means that a value is missing, is this text, or is one that a recipe names: the same for steps and checks."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import polars.selectors as cs
from pydantic import BeforeValidator


def _as_text(value: object) -> object:
    if isinstance(value, bool | float):
        return pl.Series([value]).cast(pl.String)[0]
    return str(value) if isinstance(value, int) else value  # any number of digits, more than a column holds


#: A value as a recipe names it. Numbers and true/false become the text that `text_of` makes of them in a column.
Value = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int | float | bool)]

#: What a text must match to say anything: a character that is not white space, nor one that Python takes for it.
HAS_TEXT = r"[^\s\x1c-\x1f\x85]"


def text_of(column: str) -> pl.Expr:
    """A column's values as text: `1`, `1.5`, `true`; null stays null."""
    return pl.col(column).cast(pl.String)


def said(values: pl.Series) -> pl.Series:
    """What values say, as text: texts as they are, numbers in digits, what lists and objects hold a line each.

    Of objects with `content` (turns of a chat) or `text` (answers) that field alone counts; names of fields never do.
    """
    if isinstance(values.dtype, pl.Struct):
        names = [field.name for field in values.dtype.fields]
        names = next(([name] for name in ("content", "text") if name in names), names)
        if not names:
            return pl.Series(values.name, [None] * len(values), pl.String)
        lines = pl.DataFrame([said(values.struct.field(name)).alias(name) for name in names])
        joined = lines.select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True).alias(values.name)).to_series()
        return joined.set(values.is_null(), None)
    if isinstance(values.dtype, pl.List | pl.Array):
        rows = values.to_frame("items").with_row_index("row")
        items = rows.explode("items")
        said_by = items.select("row", said(items["items"]).alias("said")).drop_nulls()
        told = said_by.group_by("row", maintain_order=True).agg(pl.col("said").str.join("\n"))
        found = rows.select("row").join(told, on="row", how="left", maintain_order="left").get_column("said")
        return found.fill_null("").set(values.is_null(), None).alias(values.name)
    return values.cast(pl.String)


def is_missing(column: str, *, blank: bool = True) -> pl.Expr:
    """Whether a value is null, NaN or, if `blank`, a string of nothing but whitespace. Never null, for any type."""
    own = cs.by_name(column)
    # A selector that fits no column adds nothing, so that no type sees a question that is not for it.
    tests = [pl.col(column).is_null(), (own & cs.float()).is_nan()]
    if blank:
        tests.append((own & cs.string()).str.strip_chars().str.len_bytes() == 0)
    return pl.any_horizontal(tests)


def key_text(kind: pl.DataType, column: str) -> pl.Expr:
    """A key as text, so that `7` of a CSV file is the 7 of a database; a whole decimal number reads `7`, too."""
    value = pl.col(column)
    if kind.is_float():
        whole = value.is_finite() & (value == value.floor()) & (value.abs() < 2**53)
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        return pl.when(value.is_not_nan()).then(text)
    return value.cast(pl.String)
