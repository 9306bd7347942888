"""How far off a model of numbers is, group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score
from seedbed.core.scrutiny import Difference, Gap, GroupRate

from .gaps import DRAWS, gap_of

_Floats = NDArray[np.float64]
_Codes = NDArray[np.int64]
_PIECE = 4_000_000
#: Fewer rows beside a group than this are no others to compare it with.
_FEWEST_OTHERS = 30


def error_rates(
    measure: str, values: _Floats, codes: _Codes, enough: Sequence[int], level: float, random: np.random.Generator
) -> Iterator[tuple[int, GroupRate]]:
    """The mean of each group that has rows, and its difference from all other rows where both have enough.

    Args:
        measure: What the values are.
        values: Of each row, shape (rows,).
        codes: Which group each row is in, shape (rows,).
        enough: Groups that are compared.
        level: Of the intervals.
        random: What is drawn with.
    """
    for code in np.unique(codes).tolist():
        inside = codes == code
        here, there = values[inside], values[~inside]
        drawn = resampled_means(here, random)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        score = Score(value=float(here.mean()), low=float(low), high=float(high), n=len(here))
        apart = None
        if code in enough and len(there) >= _FEWEST_OTHERS:
            others = resampled_means(there, random)
            value = float(here.mean() - there.mean())
            low, high = np.quantile(drawn - others, [(1 - level) / 2, (1 + level) / 2])
            null = np.diff(permuted_means(values, inside.astype(np.int64), [0, 1], random), axis=1)[:, 0]
            p = float((1 + (np.abs(null) >= abs(value) - 1e-12).sum()) / (1 + null.size))
            apart = Difference(value=value, low=float(low), high=float(high), p=p, p_holm=p)
        yield code, GroupRate(measure=measure, score=score, difference=apart)


def error_gaps(
    measure: str, values: _Floats, codes: _Codes, enough: Sequence[int], level: float, random: np.random.Generator
) -> list[Gap]:
    """The largest mean minus the smallest, among groups with enough rows; nothing where there are not two."""
    if len(enough) < 2:
        return []
    kept = np.isin(codes, enough)
    values, codes = values[kept], codes[kept]
    means = np.array([values[codes == code].mean() for code in enough])
    drawn = np.stack([resampled_means(values[codes == code], random) for code in enough], axis=1)
    null = permuted_means(values, codes, enough, random)
    found = np.ptp(drawn, axis=1), np.ptp(null, axis=1)
    return [gap_of(f"{measure} difference", None, float(np.ptp(means)), *found, level, most=np.inf)]


def resampled_means(values: _Floats, random: np.random.Generator) -> _Floats:
    """Means of bootstrap resamples, shape (draws,)."""
    found, most = [], max(1, _PIECE // len(values))
    for start in range(0, DRAWS, most):
        places = random.integers(0, len(values), size=(min(most, DRAWS - start), len(values)))
        found.append(values[places].mean(axis=1))
    return np.concatenate(found)


def permuted_means(values: _Floats, codes: _Codes, groups: Sequence[int], random: np.random.Generator) -> _Floats:
    """Means of groups, when rows are dealt to them by chance, as many to each; shape (draws, groups)."""
    sizes = [int((codes == group).sum()) for group in groups]
    starts = np.cumsum([0, *sizes[:-1]])
    found, most = [], max(1, _PIECE // len(values))
    for start in range(0, DRAWS, most):
        mixed = random.permuted(np.tile(values, (min(most, DRAWS - start), 1)), axis=1)
        found.append(np.add.reduceat(mixed, starts, axis=1) / np.asarray(sizes))
    return np.concatenate(found)
