"""What more training rows would be worth: a power law through the points of a learning curve.

Errors fall with the number n of training rows as a + b·n^-c, over wide ranges and for many learners (Hestness et al.
2017, *Deep Learning Scaling is Predictable, Empirically*; Viering & Loog 2023, *The Shape of Learning Curves: a
Review*). The law is fitted to the points by least squares, each weighted by the width of its interval; the interval of
what is gained comes from drawing the points anew within theirs, thousands of times, and fitting each time. Points are
drawn apart although they are judged on the same rows: that overstates how uncertain their differences are, and leaves
room for what other training rows of the same number would have given, which the points' intervals know nothing of.

It refuses to tell where points do not: fewer than four, no rise beyond chance, or a shape that no such law has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score
from seedbed.core.scrutiny import Growth

_Floats = NDArray[np.float64]

FEWEST_POINTS = 4
DRAWS = 2_000
#: Exponents that are tried: learning curves that were measured lie between.
_EXPONENTS = np.geomspace(0.05, 2.0, 40)
#: Below this chance of a worse fit the points do not follow a power law.
_MISFIT = 0.05


@dataclass(frozen=True)
class Bounds:
    """What a metric can be."""

    lower_is_better: bool
    lowest: float
    highest: float

    @property
    def sign(self) -> float:
        """What makes values errors: the lower, the better."""
        return 1.0 if self.lower_is_better else -1.0

    @property
    def best(self) -> float:
        """The least error that there can be."""
        return self.lowest if self.lower_is_better else -self.highest


@dataclass(frozen=True)
class _Law:
    """Errors by rows, one law a draw: shape (draws,) each."""

    a: _Floats
    b: _Floats
    c: _Floats
    misfit: _Floats

    def at(self, sizes: _Floats) -> _Floats:
        """Errors at sizes, shape (draws, sizes)."""
        return np.asarray(self.a[:, None] + self.b[:, None] * sizes ** -self.c[:, None])


def growth(
    rows: Sequence[int], scores: Sequence[Score], bounds: Bounds, *, level: float, factor: float = 2.0, seed: int = 13
) -> Growth:
    """The value of more rows, told from points of a learning curve.

    Args:
        rows: Training rows of each point, ascending.
        scores: What the metric was there.
        bounds: What it can be.
        level: Coverage of the points' intervals, and of the answer's.
        factor: So many times the rows of the last point.
        seed: Of the draws.
    """
    more = round(factor * rows[-1]) if rows else 0
    if len(set(rows)) < FEWEST_POINTS:
        return Growth(factor=factor, rows=more, refused=f"it takes {FEWEST_POINTS} points, and there are {len(rows)}")
    errors = bounds.sign * np.array([one.value for one in scores])
    drawn = bounds.sign * _drawn(scores, level, seed)
    spread = drawn.std(axis=0)
    spread = np.maximum(spread, max(1e-12, 1e-3 * float(spread.max())))
    tail = (1 - level) / 2
    fell = float(np.quantile(drawn[:, 0] - drawn[:, -1], tail))
    if fell <= 0:
        said = "from the first point to the last, the score does not rise beyond chance"
        return Growth(factor=factor, rows=more, refused=said)
    sizes = np.asarray(rows, dtype=np.float64) / rows[-1]
    found = _fit(sizes, errors[None], spread, bounds.best)
    # Were the law that was found true, points would lie as far from their own fit as chance has it.
    null = _fit(sizes, found.at(sizes) + drawn - drawn.mean(axis=0), spread, bounds.best)
    if (1 + (null.misfit >= found.misfit).sum()) / (1 + DRAWS) < _MISFIT:
        return Growth(factor=factor, rows=more, refused="the points do not lie as a power law would have them")
    ends = np.array([1.0, factor])
    now, then = _fit(sizes, drawn, spread, bounds.best).at(ends).T
    gains = bounds.sign * (then - now)
    low, high = np.quantile(gains, [tail, 1 - tail])
    of_now, of_then = found.at(ends)[0]
    gain = float(bounds.sign * (of_then - of_now))
    return Growth(
        factor=factor,
        rows=more,
        gain=gain,
        low=min(float(low), gain),
        high=max(float(high), gain),
        value=float(bounds.sign * of_then),
        limit=float(bounds.sign * found.a[0]),
        exponent=float(found.c[0]),
    )


def _drawn(scores: Sequence[Score], level: float, seed: int) -> _Floats:
    """Points anew, shape (draws, points): normal, with each side as wide as that side of the interval."""
    from scipy.special import ndtri

    reach = float(ndtri((1 + level) / 2))
    values, low, high = (np.array([getattr(one, end) for one in scores]) for end in ("value", "low", "high"))
    z = np.random.default_rng(seed).standard_normal((DRAWS, len(scores)))
    return np.asarray(values + z / reach * np.where(z > 0, high - values, values - low))


def _fit(sizes: _Floats, errors: _Floats, spread: _Floats, best: float) -> _Law:
    """Laws with the least squares, shape (draws, points) to one a draw.

    For each exponent the rest is a straight line with a slope that does not fall and an end that can be reached; of all
    exponents the one that fits best is taken.
    """
    weight = 1 / spread**2
    total = weight.sum()
    least = np.full(len(errors), np.inf)
    a, b, c = (np.zeros(len(errors)) for _ in range(3))
    for exponent in _EXPONENTS:
        x = sizes**-exponent
        mean_x, mean_y = (weight @ x) / total, errors @ weight / total
        slope = ((errors - mean_y[:, None]) * (x - mean_x)) @ weight / (weight @ (x - mean_x) ** 2)
        slope = np.maximum(slope, 0.0)
        end = mean_y - slope * mean_x
        beyond = end < best  # better than the best that there can be: the line starts there instead
        if beyond.any():
            forced = np.maximum((errors - best) @ (weight * x) / (weight @ x**2), 0.0)
            end, slope = np.where(beyond, best, end), np.where(beyond, forced, slope)
        misfit = ((errors - end[:, None] - slope[:, None] * x) ** 2) @ weight
        better = misfit < least
        least = np.where(better, misfit, least)
        a, b, c = np.where(better, end, a), np.where(better, slope, b), np.where(better, exponent, c)
    return _Law(a, b, c, least)
