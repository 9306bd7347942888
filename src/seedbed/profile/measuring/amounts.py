"""Columns of numbers that are written with a unit: which units, and how often."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from seedbed.core.detecting.units import units_in
from seedbed.core.profile import AmountFacts

from .numbers import numbers_of


@dataclass
class AmountPart:
    """What is known of a column of amounts."""

    units: Counter[str] = field(default_factory=Counter)
    bare: int = 0
    unparsed: int = 0

    def add(self, values: pl.Series, filled: pl.Series) -> None:
        """Take in a batch of texts."""
        there = values.filter(filled)
        named = units_in(there)
        self.units.update(dict(named.drop_nulls().alias("unit").value_counts(name="n").iter_rows()))
        others = there.filter(named.is_null())
        bare = others.len() - numbers_of(others).null_count()
        self.bare += bare
        self.unparsed += others.len() - bare

    def merge(self, other: AmountPart) -> None:
        """Take in that of another part of the table."""
        self.units.update(other.units)
        self.bare += other.bare
        self.unparsed += other.unparsed

    def facts(self) -> AmountFacts:
        """What was found."""
        units = dict(sorted(self.units.items(), key=lambda one: (-one[1], one[0])))
        return AmountFacts(units=units, bare=self.bare, unparsed=self.unparsed)
