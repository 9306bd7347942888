"""Whether the first record of a delimited file names the columns, or is a row already."""

from __future__ import annotations

import re

import polars as pl

from seedbed.core.numbers import things, word

from .columns import ColumnProfile
from .roles import TEXT_NAMES, words_of

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_LONGEST_NAME = 80
_MOST_WORDS = 10


def header_is_a_row(columns: list[ColumnProfile], rows: pl.DataFrame) -> str:
    """Why the names that were read look like values; empty when they look like names.

    Args:
        columns: The columns under those names.
        rows: The rows below them.
    """
    names = [column.name for column in columns]
    counted = names == [str(place) for place in range(len(names))]
    # An index without a name, or a name that people give to columns of text, stands in headers only.
    named = (columns[0].name == "column_1" and columns[0].looks == "id") or any(
        words_of(column.name) & TEXT_NAMES and len(words_of(column.name)) <= 3 and column.looks == "text"
        for column in columns
    )
    if counted or named:
        return ""
    again = repeated_headers(rows).height  # a header that stands there again says nothing
    for column in columns:
        name = column.name
        if _NUMBER.fullmatch(name) and column.looks in ("number", "id"):
            return f"{name!r} is a number, as all values below it"
        below = column.values.get(name, 0) - again
        if column.looks in ("category", "boolean") and below > 1:
            return (
                f"{name!r} stands {things(below, 'time')} below itself, in "
                f"{word(below, 'a row of its own', 'rows of their own')}"
            )
        if column.looks == "text" and (len(name) > _LONGEST_NAME or len(name.split()) > _MOST_WORDS):
            return f"{name[:30]!r}… is a text, as all values below it"
    return ""


def repeated_headers(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that are the header again, as in files that were put together."""
    if not rows.width:
        return rows
    return rows.filter(
        pl.all_horizontal([pl.col(name).cast(pl.String, strict=False) == pl.lit(name) for name in rows.columns])
        if not any(kind.is_nested() for kind in rows.dtypes)
        else pl.lit(False)
    )
