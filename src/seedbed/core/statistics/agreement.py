"""How far people who labelled the same rows agree: Cohen's kappa, Fleiss' kappa, Krippendorff's alpha, with intervals.

Ratings are codes or numbers, shape (rows, annotators), NaN where somebody did not rate. Intervals are percentiles of a
bootstrap over rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Score

Level = Literal["nominal", "ordinal", "interval"]
Ratings = NDArray[np.float64]
#: Weights of patterns of ratings, shape (draws, patterns): how many rows of each were drawn.
Weights = NDArray[np.float64]
Measured = NDArray[np.float64]

RESAMPLES = 1_000
#: Weights that are drawn in all, and draws that there are at least.
_MOST_DRAWN, _FEWEST = 20_000_000, 200
#: Weights that are held at once.
_CELLS = 4_000_000


def cohen_kappa(one: Ratings, other: Ratings, *, level: Level = "nominal", seed: int = 13) -> Score:
    """Agreement of two annotators beyond chance, over rows that both rated; 1 is perfect, 0 is chance.

    Disagreement weighs the same whatever the values (nominal), or by the square of the distance: of the values' places
    in their order (ordinal), or of the values (interval). Sources: Cohen (1960), and for weights Cohen (1968).

    Args:
        one: Of the first, shape (rows,).
        other: Of the second.
        level: What distances mean.
        seed: Of the bootstrap.
    """
    both = ~np.isnan(one) & ~np.isnan(other)
    values, codes = np.unique(np.concatenate([one[both], other[both]]), return_inverse=True)
    rows, kinds = int(both.sum()), len(values)
    cells = np.bincount(codes[:rows] * kinds + codes[rows:], minlength=kinds * kinds).astype(np.float64)
    distance = _distances(values, level)

    def kappa(drawn: NDArray[np.float64]) -> Measured:
        tables = drawn.reshape(-1, kinds, kinds) / max(1, rows)
        chance = tables.sum(2)[:, :, None] * tables.sum(1)[:, None, :]
        return _beyond((tables * distance).sum((1, 2)), (chance * distance).sum((1, 2)))

    drawn = np.random.default_rng(seed).multinomial(rows, cells / max(1, rows), RESAMPLES) if rows else cells[None]
    return _score(float(kappa(cells[None])[0]), kappa(drawn.astype(np.float64)), rows)


def fleiss_kappa(ratings: Ratings, *, seed: int = 13) -> Score:
    """Agreement of several annotators beyond chance, over rows that all of them rated. Source: Fleiss (1971).

    Args:
        ratings: Shape (rows, annotators); rows that somebody did not rate are left out.
        seed: Of the bootstrap.
    """
    patterns, often = _patterns(ratings[~np.isnan(ratings).any(axis=1)])
    counts = _counts(patterns)[0]
    raters = ratings.shape[1]
    agreed = ((counts**2).sum(1) - raters) / (raters * (raters - 1))

    def kappa(weights: Weights) -> Measured:
        rows = weights.sum(1)
        shares = weights @ counts / (rows * raters)[:, None]
        return _beyond(1 - weights @ agreed / rows, 1 - (shares**2).sum(1))

    return _bootstrapped(kappa, often, seed)


def krippendorff_alpha(ratings: Ratings, *, level: Level = "nominal", seed: int = 13) -> Score:
    """Agreement of any number of annotators, some of whom may not have rated a row; 1 is perfect, 0 is chance.

    Source: Krippendorff, "Computing Krippendorff's alpha-reliability" (2011); the differences of each level as there.

    Args:
        ratings: Shape (rows, annotators); rows with fewer than two ratings say nothing and are left out.
        level: What differences mean: equal or not, places in an order, or numbers.
        seed: Of the bootstrap.
    """
    patterns, often = _patterns(ratings[(~np.isnan(ratings)).sum(1) > 1])
    if level == "interval":
        return _bootstrapped(_interval_alpha(patterns), often, seed)
    counts, _ = _counts(patterns)
    return _bootstrapped(_ordinal_alpha(counts) if level == "ordinal" else _nominal_alpha(counts), often, seed)


def disagreement(ratings: Ratings, *, level: Level = "nominal") -> NDArray[np.float64]:
    """How far each row's annotators are apart, shape (rows,): the mean distance of two of them, squared as in alpha.

    Nominal distances are 0 or 1; others in the units of the ratings (places in the order for ordinal ones).
    """
    rated = ~np.isnan(ratings)
    of_row = rated.sum(1)
    pairs = np.maximum(of_row * (of_row - 1), 1)
    if level == "nominal":
        counts, _ = _counts(ratings)
        found = (of_row**2 - (counts**2).sum(1)) / pairs
    else:
        values = ratings
        if level == "ordinal":
            known, codes = np.unique(ratings[rated], return_inverse=True)
            values = np.full(ratings.shape, np.nan)
            values[rated] = codes if len(known) else 0
        filled = np.where(rated, values, 0.0)
        found = 2 * (of_row * (filled**2).sum(1) - filled.sum(1) ** 2) / pairs
    apart: NDArray[np.float64] = np.where(of_row > 1, found, 0.0)
    return apart


def _nominal_alpha(counts: NDArray[np.float64]) -> Callable[[Weights], Measured]:
    of_row = counts.sum(1)
    apart = (of_row**2 - (counts**2).sum(1)) / np.maximum(of_row - 1, 1)

    def alpha(weights: Weights) -> Measured:
        marginal = weights @ counts
        n = marginal.sum(1)
        return _beyond(weights @ apart, (n**2 - (marginal**2).sum(1)) / np.maximum(n - 1, 1))

    return alpha


def _ordinal_alpha(counts: NDArray[np.float64]) -> Callable[[Weights], Measured]:
    shared = counts / np.maximum(counts.sum(1) - 1, 1)[:, None]

    def alpha(weights: Weights) -> Measured:
        found = []
        for weight in weights:
            marginal = weight @ counts
            distance = _rank_distances(marginal)
            expected = marginal @ distance @ marginal / max(marginal.sum() - 1, 1)
            found.append(_beyond(((shared * weight[:, None]).T @ counts * distance).sum(), expected))
        return np.array(found)

    return alpha


def _interval_alpha(ratings: Ratings) -> Callable[[Weights], Measured]:
    rated = ~np.isnan(ratings)
    centre = float(ratings[rated].mean()) if rated.any() else 0.0  # large numbers would lose digits in the squares
    filled = np.where(rated, ratings - centre, 0.0)
    of_row, sums, squares = rated.sum(1), filled.sum(1), (filled**2).sum(1)
    apart = 2 * (of_row * squares - sums**2) / np.maximum(of_row - 1, 1)

    def alpha(weights: Weights) -> Measured:
        n = weights @ of_row
        expected = 2 * (n * (weights @ squares) - (weights @ sums) ** 2) / np.maximum(n - 1, 1)
        return _beyond(weights @ apart, expected)

    return alpha


def _patterns(ratings: Ratings) -> tuple[Ratings, NDArray[np.int64]]:
    """Rows that differ, whoever of the annotators said what, and how many there are of each."""
    if not len(ratings):
        return ratings, np.zeros(0, dtype=np.int64)
    patterns, often = np.unique(np.sort(ratings, axis=1), axis=0, return_counts=True, equal_nan=True)
    return patterns, often.astype(np.int64)


def _counts(ratings: Ratings) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often each value was given to each row, shape (rows, values), and the values, sorted."""
    rows, _ = np.nonzero(~np.isnan(ratings))
    values, codes = np.unique(ratings[~np.isnan(ratings)], return_inverse=True)
    counts = np.zeros((len(ratings), len(values)))
    np.add.at(counts, (rows, codes), 1)
    return counts, values


def _distances(values: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    if level == "nominal":
        return 1 - np.eye(len(values))
    at = np.arange(len(values), dtype=np.float64) if level == "ordinal" else values
    squared: NDArray[np.float64] = (at[:, None] - at[None, :]) ** 2
    return squared


def _rank_distances(marginal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared number of ratings between two values, half of each of both counted."""
    middle = np.cumsum(marginal) - marginal / 2
    squared: NDArray[np.float64] = (middle[:, None] - middle[None, :]) ** 2
    return squared


def _beyond(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - observed / expected disagreement; 1 where all ratings are one value, so that nobody disagrees."""
    agreed: NDArray[np.float64] = 1 - np.divide(observed, expected, out=np.zeros_like(observed), where=expected > 0)
    return agreed


def _bootstrapped(measure: Callable[[Weights], Measured], often: NDArray[np.int64], seed: int) -> Score:
    """A statistic with its interval.

    Args:
        measure: The statistic by the weights of patterns, shape (draws, patterns).
        often: Rows of each pattern.
        seed: Of the draws.
    """
    rows = int(often.sum())
    if not rows:
        return Score(value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    rng, step = np.random.default_rng(seed), max(1, _CELLS // len(often))
    draws = max(_FEWEST, min(RESAMPLES, _MOST_DRAWN // len(often)))
    drawn = []
    for start in range(0, draws, step):
        weights = rng.multinomial(rows, often / rows, min(step, draws - start))
        drawn.append(measure(weights.astype(np.float64)))
    return _score(float(measure(often[None].astype(np.float64))[0]), np.concatenate(drawn), rows)


def _score(value: float, drawn: Measured, rows: int) -> Score:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Score(value=value, low=float(low), high=float(high), n=rows)
