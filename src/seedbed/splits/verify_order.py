"""The independent check that splits follow each other in time.

It shares no code with `time`: the least and the greatest value of each split are found by Arrow, and compared as
Python's own dates and numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass
class Order:
    """The times of splits, from the first to the last."""

    splits: Sequence[str]
    found: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """The least and the greatest time of each split."""

    def add(self, times: pl.Series, places: NDArray[np.int8]) -> None:
        """Take up rows: their times, shape (rows,), and their splits; negative for rows that are in none."""
        import pyarrow.compute as pc

        if isinstance(times.dtype, pl.Datetime):  # of nanoseconds Python makes no date by itself
            times = times.cast(pl.Datetime("us", times.dtype.time_zone))
        values = times.to_arrow()
        for place, name in enumerate(self.splits):
            here = pc.min_max(values.filter(pl.Series(places == place).to_arrow())).as_py()
            if here["min"] is not None:
                low, high = _comparable(here["min"]), _comparable(here["max"])
                before = self.found.get(name, (low, high))
                self.found[name] = min(before[0], low), max(before[1], high)

    def kept(self, gap: int | float | str) -> bool:
        """Whether each split ends before the next begins, by more than the gap."""
        lasting: Any = gap
        if isinstance(gap, str):
            text = gap.strip()
            lasting = timedelta(**{_UNITS[text[-1]]: float(text[:-1])})
        elif not gap:
            lasting = None
        ends = [self.found[name] for name in self.splits if name in self.found]
        return all(_before(last, first, lasting) for (_, last), (first, _) in pairwise(ends))

    def told(self) -> dict[str, dict[str, Any]]:
        """`from` and `to` of each split, as JSON has it."""
        return {name: {"from": _plain(low), "to": _plain(high)} for name, (low, high) in self.found.items()}


def order_of(batches: Iterable[tuple[pl.Series, NDArray[np.int8]]], splits: Sequence[str]) -> Order:
    """What the times of rows say of the order of their splits.

    Args:
        batches: Times and splits of rows, batch by batch.
        splits: Names of the splits, the first in time before the others.
    """
    order = Order(splits)
    for times, places in batches:
        order.add(times, places)
    return order


def _before(last: Any, first: Any, lasting: Any) -> bool:
    if isinstance(lasting, timedelta):  # a sum might be later than any date
        return bool(first - last > lasting)
    return bool((last if lasting is None else last + lasting) < first)


def _comparable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
