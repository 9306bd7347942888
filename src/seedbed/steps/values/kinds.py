"""The types that a recipe can name, and how text is read as one of them."""

from __future__ import annotations

from typing import Literal

import polars as pl

from .moments import iso_dates, iso_moments

Kind = Literal["text", "integer", "number", "boolean", "date", "datetime"]

DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us", "UTC"),
}
#: Why a value is not of the type.
NOT_ONE: dict[Kind, str] = {
    "text": "not_text",
    "integer": "not_an_integer",
    "number": "not_a_number",
    "boolean": "not_a_boolean",
    "date": "not_a_date",
    "datetime": "not_a_datetime",
}
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_WHOLE = r"^[+-]?\d+$"
_YES, _NO = ["true", "t", "yes", "y", "on", "1"], ["false", "f", "no", "n", "off", "0"]


def read_as(kind: Kind, values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Values as one type, and which of them are not of that type.

    What is missing (null, NaN, blank text) is null and no fault.

    Raises:
        polars.exceptions.InvalidOperationError: No value of this column's type can be of that one.
    """
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    values = _without_nan(values)
    written = values.dtype == pl.String and kind != "text"
    known = _of_text(kind, values.str.strip_chars()) if written else _of_others(kind, values)
    missing = values.is_null()
    if written:
        missing |= values.str.strip_chars().str.len_bytes().fill_null(0) == 0
    return known.alias(values.name), known.is_null() & ~missing


def _of_text(kind: Kind, texts: pl.Series) -> pl.Series:
    found = nothing = pl.lit(None, DTYPES[kind])
    text = pl.col(texts.name)
    match kind:
        case "integer":
            # A whole number that was written as a decimal, and does not lose a digit as one.
            decimal = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Float64, strict=False)
            found = (
                pl.when(text.str.contains(_WHOLE))
                .then(text.str.strip_prefix("+").cast(pl.Int64, strict=False))
                .when((decimal == decimal.round(0)) & (decimal.abs() < 2**53))
                .then(decimal.cast(pl.Int64, strict=False))
                .otherwise(nothing)
            )
        case "number":
            found = pl.when(text.str.contains(_NUMBER)).then(text.str.strip_prefix("+").cast(pl.Float64, strict=False))
        case "boolean":
            small = text.str.to_lowercase()
            found = pl.when(small.is_in(_YES)).then(True).when(small.is_in(_NO)).then(False).otherwise(nothing)
        case "date":
            return iso_dates(texts)
        case "datetime":
            return iso_moments(texts, "UTC")
    return texts.to_frame().select(found.alias(texts.name)).to_series()


def _of_others(kind: Kind, values: pl.Series) -> pl.Series:
    dtype, wanted = values.dtype, DTYPES[kind]
    number = dtype.is_numeric() or dtype == pl.Boolean
    fits = {
        "text": not dtype.is_nested() and dtype != pl.Binary,
        "integer": number,
        "number": number,
        "boolean": number,
        "date": dtype in (pl.Date, pl.Datetime),
        "datetime": dtype in (pl.Date, pl.Datetime),
    }
    if not fits[kind] and dtype != pl.Null:
        raise pl.exceptions.InvalidOperationError(f"{values.name!r} holds {dtype}, which is never {kind}")
    if kind == "integer" and (dtype.is_float() or dtype.is_decimal()):
        return values.set(values != values.round(0), None).cast(wanted, strict=False)
    if kind == "boolean" and number and dtype != pl.Boolean:
        return values.set(~((values == 0) | (values == 1)), None).cast(wanted)
    if dtype == pl.Datetime and kind in ("date", "datetime"):
        zone = getattr(dtype, "time_zone", None)
        moments = values.dt.convert_time_zone("UTC") if zone else values.dt.replace_time_zone("UTC")
        return moments.dt.cast_time_unit("us") if kind == "datetime" else moments.dt.date()
    if dtype == pl.Date and kind == "datetime":
        return values.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return values.cast(wanted, strict=False)


def _without_nan(values: pl.Series) -> pl.Series:
    return values.fill_nan(None) if values.dtype.is_float() else values
