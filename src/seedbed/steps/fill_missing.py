"""fill_missing: put something where nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.part import Example
from seedbed.core.step import Map
from seedbed.core.values import is_missing

from .values.kinds import read_as


class FillMissing(Map):
    """Puts a value, or another column's, where a value is missing.

    Missing is null, NaN and, unless `blank: false`, a text of nothing but whitespace: as in `drop_missing`. A column
    keeps its type: a value that it cannot hold is refused before rows are read.

    ## Why
    A title that is not there is an empty title, and a nickname stands in for a name. Said here, it is counted and
    shown in the ledger.

    ## Limits
    Means, medians and most frequent values are not offered: they are learned from rows, and must be learned from
    training rows only. Where both columns miss their value, it stays missing. A label that is made up is worse than
    none: drop such rows.
    """

    use: Literal["fill_missing"] = "fill_missing"
    values: dict[str, str | int | float | bool] = Field(default_factory=dict, description="Values, as COLUMN: VALUE.")
    copies: dict[str, str] = Field(
        default_factory=dict, description="Columns to take the value from, as COLUMN: OTHER; before `values`."
    )
    blank: bool = Field(True, description="Whether text of nothing but whitespace is missing too.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Constants",
            options={"values": {"title": "(no title)", "votes": 0}},
            before={"title": ["A", None, " "], "votes": [3, None, 1]},
            after={"title": ["A", "(no title)", "(no title)"], "votes": [3, 0, 1]},
        ),
        Example(
            title="Another column's value, else a constant",
            options={"copies": {"name": "nick"}, "values": {"name": "nobody"}},
            before={"name": ["Ann", None, None], "nick": ["a", "bo", None]},
            after={"name": ["Ann", "bo", "nobody"], "nick": ["a", "bo", None]},
        ),
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not self.values and not self.copies:
            raise ValueError("fill_missing needs values (COLUMN: VALUE), copies (COLUMN: OTHER) or both")
        for name, other in self.copies.items():
            if name == other:
                raise ValueError(f"{name!r} cannot be filled from itself")
            if other in self.copies:
                raise ValueError(f"{name!r} is filled from {other!r}, which is filled too: use two steps, in order")
        return self

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """Columns that are filled or copied."""
        yield from (("values", name) for name in self.values)
        yield from (("copies", name) for pair in self.copies.items() for name in pair)

    def columns(self) -> Sequence[pl.Expr]:
        """The columns, filled."""
        names = dict.fromkeys([*self.copies, *self.values])
        return [
            pl.struct(list(dict.fromkeys([name, self.copies.get(name, name)])))
            .map_batches(partial(_filled, self, name), return_dtype=pl.dtype_of(name))
            .alias(name)
            for name in names
        ]


def _filled(step: FillMissing, name: str, rows: pl.Series) -> pl.Series:
    table = rows.struct.unnest()
    values, other = table[name], step.copies.get(name)
    if other is not None:
        there = table.select(~is_missing(other, blank=step.blank)).to_series()
        missing = table.select(is_missing(name, blank=step.blank)).to_series()
        values = _fitted(table[other], values).zip_with(missing & there, values).alias(name)
    if name in step.values:
        missing = values.to_frame().select(is_missing(name, blank=step.blank)).to_series()
        values = _constant(step.values[name], values).zip_with(missing, values)
    return values.alias(name)


def _constant(value: str | int | float | bool, like: pl.Series) -> pl.Series:
    """A value as often as a column is long, in its type.

    Raises:
        polars.exceptions.InvalidOperationError: The column cannot hold it.
    """
    fitted = _fit(pl.Series([value]), like.dtype)
    if fitted is None or fitted[0] is None:
        raise pl.exceptions.InvalidOperationError(f"{like.name!r} holds {like.dtype}, which cannot be {value!r}")
    return fitted.new_from_index(0, like.len()).alias(like.name)


def _fitted(values: pl.Series, like: pl.Series) -> pl.Series:
    """One column's values in the type of another.

    Raises:
        polars.exceptions.InvalidOperationError: It cannot hold them.
    """
    fitted = _fit(values, like.dtype)
    if fitted is None:
        raise pl.exceptions.InvalidOperationError(
            f"{like.name!r} holds {like.dtype}, and {values.name!r} holds {values.dtype}, which does not fit into it"
        )
    return fitted


def _fit(values: pl.Series, dtype: pl.DataType) -> pl.Series | None:
    """Values in another type, if it holds them all; dates may be ISO 8601 text."""
    if values.dtype == dtype:
        return values
    if isinstance(dtype, pl.Enum | pl.Categorical) and values.dtype == pl.String:
        return values.cast(dtype, strict=False)
    if dtype == pl.String:
        return values.cast(pl.String) if not values.dtype.is_nested() and values.dtype != pl.Binary else None
    if isinstance(dtype, pl.Date | pl.Datetime) and values.dtype == pl.String and values.len() == 1:
        return _moment(values, dtype)
    numbers = values.dtype.is_integer() and (dtype.is_numeric() or dtype.is_decimal())
    floats = values.dtype.is_float() and dtype.is_float()
    return values.cast(dtype, strict=False) if numbers or floats else None


def _moment(text: pl.Series, dtype: pl.DataType) -> pl.Series:
    known, _ = read_as("date" if dtype == pl.Date else "datetime", text.alias("x"))
    found: date | datetime | None = known[0]
    if isinstance(found, datetime) and getattr(dtype, "time_zone", None) is None:
        found = found.replace(tzinfo=None)
    return pl.Series([found]).cast(dtype)
