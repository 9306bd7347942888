"""Numbers that a file holds as people write them: `$1,234`, `1.234,50 €`. Which step reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from seedbed.steps.parse_numbers import read_written

from .commented import listed, quoted

#: Values that are looked at, the share of them that must read as numbers, and the least share of a sign.
_LOOKED_AT, _ENOUGH, _SEEN = 2_000, 0.98, 0.005
#: Currencies that are often written by their codes (ISO 4217).
_CODES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN NOK NZD PLN RUB SEK SGD TRY USD ZAR"
#: What may stand beside a number. Several currencies in a column are amounts that cannot be compared.
_SIGN = rf"^(?:[A-Z]{{0,3}}\p{{Sc}}|{_CODES.replace(' ', '|')}|%)$"
_NUMBER = r"[+\-\u2212]?\d(?:[\d.,'\u2019\s]*\d)?"


@dataclass(frozen=True)
class Written:
    """How the numbers of a column are written: options of `parse_numbers`."""

    decimal: str
    around: tuple[str, ...]

    def read(self, values: pl.Series) -> pl.Series:
        """The numbers; null where there is none."""
        return read_written(values, decimal=self.decimal, around=self.around)[0]


def written(values: pl.Series) -> Written | None:
    """How numbers are written that are no plain ones; nothing for other columns."""
    if values.dtype != pl.String:
        return None
    known = values.str.strip_chars()
    known = known.filter(known.str.len_bytes() > 0).head(_LOOKED_AT)
    if not known.str.contains(r"\d").any() or known.str.contains(r"^0\d").any():  # a post code is no number
        return None
    beside = known.str.replace(_NUMBER, "\n").str.split("\n").explode().str.strip_chars(" ()\u00a0\u202f")
    signs = beside.filter(beside.str.contains(_SIGN)).value_counts(name="n").filter(pl.col("n") >= _SEEN * known.len())
    around = tuple(sorted(signs.to_series().to_list()))
    if sum(one.isalpha() for one in around) > 1 or sum(not one.isalpha() and one != "%" for one in around) > 1:
        return None
    for way in (Written(".", around), Written(",", around)):
        if way.read(known).count() >= _ENOUGH * known.len():
            return way
    return None


def steps_of(found: dict[str, Written], *, target: str | None = None) -> Iterator[tuple[str, str]]:
    """The steps that read columns, each with why.

    Args:
        found: How each column's numbers are written.
        target: The column that is to be predicted: a row without a number there is none.
    """
    groups: dict[tuple[Written, bool], list[str]] = {}
    for name, way in found.items():
        groups.setdefault((way, name == target), []).append(name)
    for (way, is_target), names in groups.items():
        columns = quoted(names[0]) if len(names) == 1 else listed(names)
        options = [f"column: {columns}"]
        options += [f"decimal: {quoted(way.decimal)}"] if way.decimal != "." else []
        options += [f"around: {listed(way.around)}"] if way.around else []
        options += [] if is_target else ["on_error: missing"]
        yield f"use: parse_numbers, {', '.join(options)}", "numbers, as people write them"
