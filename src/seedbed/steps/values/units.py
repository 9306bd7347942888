"""Amounts with their units, as people write them: `5 kg`, `11lb`, `1,500 g`, `6 ft 2 in`."""

from __future__ import annotations

import math
import re
import tokenize
from functools import cache, lru_cache
from typing import Any, Literal

import polars as pl

Decimal = Literal[".", ","]

#: Numbers by what parts their decimals. Groups of three digits may be parted by a blank, an apostrophe or the other.
_NUMBERS: dict[Decimal, str] = {
    ".": r"(?:[0-9]{1,3}(?:[,' \u00a0\u202f][0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+",
    ",": r"(?:[0-9]{1,3}(?:[.' \u00a0\u202f][0-9]{3})+|[0-9]+)(?:,[0-9]+)?|,[0-9]+",
}
_POWER = r"(?:[eE][+-]?[0-9]{1,3}(?![0-9]))?"
#: Letters and signs; digits as an exponent only.
_UNIT = r"""(?:sq |cu )?[^\W\d_°%][^\s\d+\-,;]*(?:\^?[23](?!\S))?|°[A-Za-z]?|%|[′″'"]"""
#: What pint does not know, or knows as something else.
_OTHERS = {
    '"': "inch",
    "″": "inch",
    "'": "foot",
    "′": "foot",
    "°F": "degF",
    "°C": "degC",
    "F": "degF",
    "C": "degC",
    "kgs": "kg",
    "kms": "km",
    "hrs": "hour",
    "mins": "minute",
    "secs": "second",
    "st": "stone",
    "sqm": "m**2",
    "sqft": "ft**2",
}
#: What pint raises of a text that is no unit, besides errors of its own.
_RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)


@cache
def registry() -> Any:
    """Pint's units, read once a process."""
    import pint

    return pint.UnitRegistry(cache_folder=None)


def known_unit(name: str) -> bool:
    """Whether there is such a unit."""
    return unit_called(name, name) is not None


@lru_cache(maxsize=10_000)
def unit_called(name: str, to: str) -> Any:
    """The unit of that name that can become the other; None where there is none.

    A name is taken as pint has it, else as people write it (`C` for degrees Celsius), else in lower case (`KG`).
    """
    name = re.sub(r"(?<=[a-zA-Z])([23])$", r"**\1", name)
    lower = name.lower()
    names = [one for one in (name, _OTHERS.get(name), lower, _OTHERS.get(lower)) if one]
    return next((unit for one in names if (unit := _fitting(one, to)) is not None), None)


def _fitting(name: str, to: str) -> Any:
    import pint

    try:
        unit = registry().parse_units(name)
        registry().Quantity(1.0, unit).to(to)
    except (pint.PintError, *_RAISED):
        return None
    return unit


def amount_in(text: str, to: str, bare: str | None, decimal: Decimal = ".") -> tuple[float | None, str | None]:
    """An amount in a unit, or why it is none.

    Args:
        text: As written: a number with or without a unit, or several with theirs (`6 ft 2 in`).
        to: The unit wanted.
        bare: The unit of a number without one; None if it has none.
        decimal: What parts decimals.

    Returns:
        The amount, to twelve digits, or one of `not_an_amount`, `no_unit` and `not_this_unit`.
    """
    whole, piece = _patterns(decimal)
    said = whole.fullmatch(text.strip())
    if said is None:
        return None, "not_an_amount"
    total = 0.0
    for number, power, unit in piece.findall(said["pieces"]):
        name = unit.rstrip(".") or bare
        if name is None:
            return None, "no_unit"
        known = unit_called(name, to)
        if known is None:
            return None, "not_this_unit"
        # The sign stands before the whole: -6 ft 2 in is less than -6 ft.
        amount = float(f"{said['sign']}{_plain(number, decimal)}{power}".replace("\u2212", "-"))
        total += float(registry().Quantity(amount, known).to(to).magnitude)
    return (float(f"{total:.12g}"), None) if math.isfinite(total) else (None, "not_an_amount")


@cache
def _patterns(decimal: Decimal) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A text that is an amount, and each piece of it."""
    number = rf"(?:{_NUMBERS[decimal]}){_POWER}"
    whole = rf"(?P<sign>[+\u2212-]?)\s*(?P<pieces>{number}|(?:{number}\s*(?:{_UNIT})\s*)+)"
    return re.compile(whole), re.compile(rf"({_NUMBERS[decimal]})({_POWER})\s*({_UNIT}|)")


def _plain(number: str, decimal: Decimal) -> str:
    digits = re.sub(r"[^0-9.,]", "", number)
    return digits.replace(",", "") if decimal == "." else digits.replace(".", "").replace(",", ".")


def amounts_in(to: str, bare: str | None, decimal: Decimal, values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Values in a unit, and what is wrong with each that has none; missing and blank ones are missing.

    Args:
        to: The unit wanted.
        bare: The unit of a number without one.
        decimal: What parts decimals.
        values: Text, or numbers.
    """
    texts = values.cast(pl.String)
    known = texts.filter(texts.str.strip_chars().str.len_bytes() > 0).unique()
    if not known.len():
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, texts.len())
        return nothing.cast(pl.Float64), nothing
    read = [amount_in(text, to, bare, decimal if values.dtype == pl.String else ".") for text in known]
    amounts = pl.Series([amount for amount, _ in read], dtype=pl.Float64)
    faults = pl.Series([fault for _, fault in read], dtype=pl.String)
    return (
        texts.replace_strict(known, amounts, default=None, return_dtype=pl.Float64),
        texts.replace_strict(known, faults, default=None, return_dtype=pl.String),
    )
