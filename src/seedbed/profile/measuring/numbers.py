"""Columns of numbers: moments of all of them, ranks of a sample, what lies far out and where."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from seedbed.core.profile import GRID, Estimate, Extreme, NumberFacts, Spread
from seedbed.core.statistics.shares import wilson

from .moments import Moments, Numbers, settled
from .sampled import rank_error

_BINS = 24
#: Interquartile ranges beyond the quartiles from which on a value lies "far out": Tukey, "Exploratory data analysis".
_FAR = 3.0
_FEWEST = 20
_ENDS = 5
_GROUPED = r"^[+-]?\d{1,3}(?:[ ,'\x{a0}]\d{3})+(?:\.\d+)?$"
_COMMA = r"^[+-]?\d+,\d+$"


def numbers_of(values: pl.Series) -> pl.Series:
    """Values as floats, null where they are no number; in texts also `1,234.5`, `3,5` and `12 %` (as 12)."""
    if values.dtype != pl.String:
        return values.cast(pl.Float64, strict=False)
    texts = values.str.strip_chars().str.replace("−", "-", literal=True).str.strip_suffix("%").str.strip_chars_end()
    found = texts.cast(pl.Float64, strict=False)
    if found.null_count() == values.null_count():
        return found
    grouped = texts.set(~texts.str.contains(_GROUPED), None).str.replace_all(r"[ ,'\x{a0}]", "")
    comma = texts.set(~texts.str.contains(_COMMA), None).str.replace(",", ".", literal=True)
    others = grouped.cast(pl.Float64, strict=False).zip_with(
        grouped.is_not_null(), comma.cast(pl.Float64, strict=False)
    )
    return found.zip_with(found.is_not_null(), others)


@dataclass
class NumberPart:
    """What is known of a column of numbers."""

    moments: Moments = field(default_factory=Moments)
    unparsed: int = 0
    not_finite: int = 0
    zeros: int = 0
    negative: int = 0
    broken: int = 0
    """Numbers that are not whole."""
    ends: list[tuple[float, str]] = field(default_factory=list)
    """The smallest and the largest values, with their rows, in order."""

    def add(self, values: pl.Series, names: pl.Series, filled: pl.Series) -> pl.Series:
        """Take in a batch; returns the values as finite floats, null elsewhere."""
        numbers = numbers_of(values)
        self.unparsed += int((numbers.is_null() & filled).sum())
        finite = numbers.is_finite().fill_null(False)
        self.not_finite += numbers.len() - numbers.null_count() - int(finite.sum())
        there = numbers.filter(finite)
        held = there.to_numpy()
        self.moments.add(held)
        self.zeros += int((held == 0).sum())
        self.negative += int((held < 0).sum())
        self.broken += int((held != np.floor(held)).sum())
        chosen = np.arange(len(held))
        if len(held) > 2 * _ENDS:
            places = np.argpartition(held, (_ENDS, len(held) - _ENDS - 1))
            chosen = np.concatenate([places[:_ENDS], places[-_ENDS:]])
        rows = names.gather(finite.arg_true().gather(chosen)).to_list()
        self._ends(zip(held[chosen].tolist(), rows, strict=True))
        return numbers if len(held) == numbers.len() else numbers.set(~finite, None)

    def merge(self, other: NumberPart) -> None:
        """Take in that of another part of the table."""
        self.moments.merge(other.moments)
        self.unparsed += other.unparsed
        self.not_finite += other.not_finite
        self.zeros += other.zeros
        self.negative += other.negative
        self.broken += other.broken
        self._ends(other.ends)

    def _ends(self, more: Iterable[tuple[float, str]]) -> None:
        together = sorted({*self.ends, *more})
        self.ends = together if len(together) <= 2 * _ENDS else [*together[:_ENDS], *together[-_ENDS:]]

    def facts(self, sample: Numbers, whole: bool) -> NumberFacts:
        """What was found.

        Args:
            sample: Finite numbers of the sample.
            whole: Whether these are all of them.
        """
        told = spread_of(self.moments, sample, whole)
        found = NumberFacts(
            spread=told,
            unparsed=self.unparsed,
            not_finite=self.not_finite,
            zeros=self.zeros,
            negative=self.negative,
            whole=bool(self.moments.n) and not self.broken,
        )
        fences = fences_of(told) if told else None
        if fences is None or told is None:
            return found
        outside = int(((sample < fences[0]) | (sample > fences[1])).sum())
        ends = [Extreme(value=value, row=row) for value, row in self.ends]
        below, above = ([one for one in ends if one.value < fences[0]], [one for one in ends if one.value > fences[1]])
        return found.model_copy(
            update={
                "outliers": scaled(outside, len(sample), told.n, whole),
                "fences": (settled(fences[0]), settled(fences[1])),
                "lowest": tuple(below[:_ENDS]),
                "highest": tuple(above[: -_ENDS - 1 : -1]),
            }
        )


def fences_of(spread: Spread) -> tuple[float, float] | None:
    """Beyond which values lie far out; none where too few values, or too many equal ones, say nothing."""
    low, high = spread.at(0.25), spread.at(0.75)
    reach = _FAR * (high - low)
    if spread.n < _FEWEST or not 0 < reach < math.inf:
        return None
    return low - reach, high + reach


def spread_of(moments: Moments, sample: Numbers, whole: bool) -> Spread | None:
    """How numbers are spread; none where there are none."""
    if not moments.n:
        return None
    scale = 1.0 if math.isfinite(moments.high - moments.low) else 0.25  # the difference of two floats may be none
    ranks = np.quantile(sample * scale, GRID) / scale if len(sample) else np.full(len(GRID), moments.mean)
    ranks[0], ranks[-1] = moments.low, moments.high
    low, high = float(ranks[0]), float(ranks[-1])
    quarter, three = float(ranks[GRID.index(0.25)]), float(ranks[GRID.index(0.75)])
    if three > quarter:
        low, high = max(low, quarter - _FAR * (three - quarter)), min(high, three + _FAR * (three - quarter))
    counts, edges = (np.zeros(0, np.int64), np.zeros(0))
    if high > low and math.isfinite(high - low):
        counts, edges = np.histogram(sample, _BINS, (low, high))
    return Spread(
        n=moments.n,
        mean=settled(moments.mean),
        sd=moments.sd,
        skew=moments.skew,
        quantiles=tuple(settled(float(rank)) for rank in ranks),
        within=0 if whole else settled(rank_error(len(sample))),
        edges=tuple(settled(float(edge)) for edge in edges),
        counts=tuple(int(n) for n in counts),
    )


def scaled(found: int, of: int, n: int, whole: bool) -> Estimate:
    """A number of rows of a sample, for all rows: Wilson's interval of the share (95 %), times the rows."""
    if whole or not of:
        return Estimate.counted(found, n)
    low, high = wilson(found, of)
    return Estimate(value=round(found / of * n), low=math.floor(low * n), high=math.ceil(high * n), of=of)


def share_of(found: int, of: int, whole: bool) -> Estimate:
    """A share of a sample."""
    low, high = (found / of,) * 2 if whole else wilson(found, of)
    return Estimate(value=settled(found / of), low=settled(low), high=settled(high), of=of)
