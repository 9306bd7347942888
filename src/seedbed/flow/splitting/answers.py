"""What is to be told of a dataset's rows, counted: labels that go together, and how far numbers reach."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.run import NumbersRecord
from seedbed.core.task import Task

#: Pairs of labels that are named, and bars of numbers.
_PAIRS, _BINS = 10, 12
#: Numbers of which the largest is so many times the median are counted by their logarithms.
_LOPSIDED = 20


def labels_together(rows: pl.LazyFrame, task: Task) -> dict[str, int]:
    """Rows that carry both labels of a pair, by `A + B`; the pairs with the most rows."""
    if task.says != "labels" or task.answer is None:
        return {}
    sets = rows.select(label=pl.col(task.answer)).with_row_index("at")
    each = sets.filter(pl.col("label").list.len() > 1).explode("label")
    both = each.join(each, on="at", suffix="_2").filter(pl.col("label") < pl.col("label_2"))
    counted = both.group_by("label", "label_2").len().collect(engine="streaming")
    most = counted.sort("len", "label", "label_2", descending=[True, False, False]).head(_PAIRS)
    return {f"{one} + {other}": n for one, other, n in most.iter_rows()}


def numbers_of(rows: Mapping[str, pl.LazyFrame], task: Task) -> NumbersRecord | None:
    """Rows of each split by the size of their number; none where rows have labels instead."""
    if task.says != "number" or task.answer is None:
        return None
    told = {name: some.select(x=pl.col(task.answer).cast(pl.Float64)) for name, some in rows.items()}
    values = {name: some.collect(engine="streaming")["x"].drop_nulls().to_numpy() for name, some in told.items()}
    every = np.concatenate([*values.values(), np.zeros(0)])
    if not len(every):
        return None
    # By quarters, here and below: the sum or difference of two numbers may be none.
    low, high = float(every.min()), float(every.max())
    log = low > 0 and high > _LOPSIDED * _median(every)
    edges = np.geomspace(low, high, _BINS + 1) if log else np.linspace(low / 4, high / 4, _BINS + 1) * 4
    edges = np.unique(edges) if low < high else np.array([low, np.nextafter(low, np.inf)])
    edges[0], edges[-1] = low, max(high, edges[-1])
    counts = {name: np.histogram(some, edges)[0].tolist() for name, some in values.items()}
    medians = {name: _median(some) for name, some in values.items() if len(some)}
    return NumbersRecord(column=task.answer, edges=tuple(edges.tolist()), rows=counts, medians=medians)


def _median(numbers: NDArray[np.float64]) -> float:
    return float(np.median(numbers / 4)) * 4
