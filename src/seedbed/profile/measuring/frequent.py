"""The most frequent values: exact while they fit, else with a stated error.

Where there are more values than are held, the count of the first that is left out is taken off all (Misra and Gries
1982, in the form that merges: Agarwal et al., "Mergeable summaries", 2012). A count is then too low by at most what was
taken off; a value that is held back was more frequent than that. Which values are held depends on the order of rows
only where counts are below that error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.ledger import excerpt_of
from seedbed.core.profile import Value, Values

_SHOWN = 80
_SCHEMA = {"key": pl.UInt64, "value": pl.String, "n": pl.Int64}


@dataclass
class Frequent:
    """Values with their counts."""

    most: int
    """Different values that are held."""
    held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))
    """`key` (hash), `value` (its start) and `n`."""
    within: int = 0
    """What was taken off each count, at most."""
    _fresh: list[pl.DataFrame] = field(default_factory=list)
    _waiting: int = 0

    def add(self, keys: pl.Series, values: pl.Series, counts: pl.Series) -> None:
        """Take in different values, with their counts."""
        told = pl.DataFrame([keys.alias("key"), values.alias("value"), counts.cast(pl.Int64).alias("n")])
        self._fresh.append(told)
        self._waiting += told.height
        if self._waiting > 2 * self.most:
            self._settle()

    def cut(self, counts: NDArray[np.int64]) -> int:
        """What to take off the counts of so many values that not all can be held."""
        cut = int(np.partition(counts, len(counts) - self.most - 1)[len(counts) - self.most - 1])
        self.within += cut
        return cut

    def merge(self, other: Frequent) -> None:
        """Take in those of another."""
        other._settle()
        self._settle()
        self.within += other.within
        self._fresh.append(other.held)
        self._settle()

    def _settle(self) -> None:
        if not self._fresh:
            return
        # Of equal counts the smaller hashes stay, so that nothing depends on the order of a group.
        together = (
            pl.concat([self.held, *self._fresh])
            .group_by("key")
            .agg(pl.col("value").min(), pl.col("n").sum())
            .sort("n", "key", descending=[True, False])
        )
        self._fresh, self._waiting = [], 0
        if together.height > self.most:
            cut = int(together["n"][self.most])
            self.within += cut
            together = together.head(self.most).with_columns(pl.col("n") - cut).filter(pl.col("n") > 0)
        self.held = together

    def counted(self) -> pl.DataFrame:
        """`value` and `n` of all that are held, the most frequent first."""
        self._settle()
        return self.held.sort("n", "value", descending=[True, False]).select("value", "n")

    def first(self, most: int) -> pl.DataFrame:
        """`value` and `n` of the most frequent."""
        return self.counted().head(most)

    def top(self, most: int, of: int) -> Values:
        """The most frequent, and the rest of so many rows."""
        first = self.first(most)
        return self.told(shown_of(first["value"]), first["n"], of)

    def told(self, shown: pl.Series, counts: pl.Series, of: int) -> Values:
        """The most frequent as they are shown, with their counts, and the rest of so many rows."""
        top = tuple(Value(value=value, rows=n) for value, n in zip(shown, counts, strict=True))
        return Values(top=top, other=max(0, of - sum(one.rows for one in top)), within=self.within)


def shown_of(values: pl.Series) -> pl.Series:
    """Values fit to be shown: personal data masked. Best of many at a time: a call costs more than its values."""
    return values.alias("v").to_frame().select(excerpt_of(pl.col("v")).str.slice(0, _SHOWN)).to_series()
