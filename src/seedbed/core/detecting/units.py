"""Units that people write behind numbers: enough to see that a column has them, and that it mixes several.

Names are those of pint, as `convert_units` takes them; what that step reads beyond these is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

#: Units by what they measure, each with the ways in which people write it.
UNITS: Mapping[str, Mapping[str, str]] = {
    "mass": {
        "kg": "kg kgs kilogram kilograms",
        "g": "g gram grams",
        "mg": "mg",
        "lb": "lb lbs pound pounds",
        "oz": "oz ounce ounces",
        "stone": "stone stones",
    },
    "length": {
        "m": "m meter meters metre metres",
        "cm": "cm",
        "mm": "mm",
        "km": "km kms kilometer kilometers kilometre kilometres",
        "inch": 'in inch inches " ″',
        "ft": "ft foot feet ' ′",
        "yard": "yd yard yards",
        "mile": "mi mile miles",
    },
    "volume": {
        "l": "l liter liters litre litres",
        "ml": "ml",
        "gallon": "gal gallon gallons",
    },
    "temperature": {"degC": "°C degC", "degF": "°F degF"},
    "time": {
        "s": "s sec secs second seconds",
        "minute": "min mins minute minutes",
        "hour": "h hr hrs hour hours",
        "day": "day days",
        "week": "week weeks",
    },
    "speed": {"km/hour": "km/h", "mph": "mph", "m/s": "m/s"},
    "energy": {"kJ": "kJ", "kcal": "kcal"},
    "information": {"kB": "kB", "MB": "MB", "GB": "GB"},
}
_SPELT = {spelling: unit for units in UNITS.values() for unit, ways in units.items() for spelling in ways.split()}
#: In capitals, too, where that can be no other unit: `KG`, but no `G` and no `MG`.
_LOWER = {
    spelling.lower(): unit
    for spelling, unit in _SPELT.items()
    if spelling.isalpha() and len(spelling) > 1 and spelling.islower() and spelling not in ("mg", "mm", "ml")
}
_NUMBER = r"[+\-−]?(?:\d{1,3}(?:[ ,.'\x{a0}]\d{3})+|\d+)?(?:[.,]\d+)?"
#: A number with a unit; a second one may follow (`6 ft 2 in`).
_AMOUNT = rf"""^{_NUMBER}[ \x{{a0}}]?([A-Za-z°][A-Za-z/°]*|["″'′])\.?(?: ?\d+(?:[.,]\d+)? ?(?:[a-z]+\.?|["″]))?$"""


def units_in(values: pl.Series) -> pl.Series:
    """The unit of each value that is a number with a unit, as pint names it; null elsewhere.

    Args:
        values: Texts.
    """
    told = values.str.strip_chars()
    named = told.set(~told.str.contains(r"^[+\-−.,]?\d"), None).str.extract(_AMOUNT, 1)
    exact = named.replace_strict(_SPELT, default=None, return_dtype=pl.String)
    lower = named.str.to_lowercase().replace_strict(_LOWER, default=None, return_dtype=pl.String)
    return exact.zip_with(exact.is_not_null(), lower)


def measure_of(unit: str) -> str:
    """What a unit of `UNITS` measures."""
    return next(measure for measure, units in UNITS.items() if unit in units)
