"""How far off numbers are: against what is right, by its size, and to which side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score
from seedbed.core.run import Distances, SizePart

from .drawing import affordable, weights
from .groups import Groups, some_groups

_Floats = NDArray[np.float64]

#: Points that are kept for a drawing, and bars of a histogram (odd: the middle one stands around zero).
POINTS, BARS = 400, 21
#: Share of the rows that the bars span; what lies beyond is counted in the outermost.
_SPANNED = 0.98


def distances(
    truth: _Floats,
    answers: _Floats,
    parts: NDArray[np.int64],
    *,
    level: float,
    resamples: int,
    seed: int,
    groups: Groups = None,
) -> Distances:
    """Errors of a model whose answers are numbers.

    Args:
        truth: What is right, shape (rows,), of at least one row.
        answers: What the model says, shape (rows,).
        parts: Which part each row is in by the size of what is right, from 0, shape (rows,).
        level: Coverage of the intervals, which are percentile bootstrap.
        resamples: Resamples of the intervals.
        seed: Of the resamples.
        groups: The group of each row, where rows are no independent draws.
    """
    errors = answers - truth
    far = np.abs(errors)

    def mean(of: _Floats, its: Groups) -> Score:
        return _mean(of, its, level=level, resamples=resamples, seed=seed)

    found = []
    for part in np.unique(parts):
        rows = parts == part
        low, high = float(truth[rows].min()), float(truth[rows].max())
        its = some_groups(groups, rows)
        found.append(SizePart(low=low, high=high, error=mean(far[rows], its), bias=mean(errors[rows], its)))
    edges, counts = _bars(errors)
    chosen = np.argsort(truth, kind="stable")
    if len(chosen) > POINTS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, POINTS).astype(np.int64)]
    half, most = np.quantile(far, [0.5, 0.9])
    return Distances(
        points=tuple((_rounded(a), _rounded(b)) for a, b in zip(truth[chosen], answers[chosen], strict=True)),
        half=float(half),
        most=float(most),
        bias=mean(errors, groups),
        edges=edges,
        rows=counts,
        parts=tuple(found),
    )


def _mean(values: _Floats, groups: Groups, *, level: float, resamples: int, seed: int) -> Score:
    rows = len(values)
    pieces = weights(rows, affordable(rows, 1, resamples), seed, groups)
    drawn = np.concatenate([one @ values / (rows if groups is None else one.sum(axis=1)) for one in pieces])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Score(value=float(values.mean()), low=float(low), high=float(high), n=rows)


def _bars(errors: _Floats) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Bars of equal width around zero; none where no answer is off."""
    reach = float(np.quantile(np.abs(errors), _SPANNED)) or float(np.abs(errors).max())
    if not reach:
        return (), ()
    edges = np.linspace(-reach, reach, BARS + 1)
    inside = np.clip(errors, -reach, reach)
    return tuple(map(_rounded, edges)), tuple(np.histogram(inside, edges)[0].tolist())


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
