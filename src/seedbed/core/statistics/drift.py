"""How two samples of one column differ: distances, and whether they could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedbed.core.numbers import value

from .holm import holm

Floats = NDArray[np.float64]

#: Categories with fewer expected rows than this are counted together in the test.
_EXPECTED = 5.0
#: A share of nothing would make the stability index infinite.
_LEAST_SHARE = 1e-4
_DECILES = np.linspace(0, 1, 11)[1:-1]


@dataclass(frozen=True)
class Difference:
    """How a column differs between a reference and now."""

    what: str
    """The column, and what of it: `stars`, `text: length`."""
    distance: float
    """From 0 (the same) to 1: Kolmogorov-Smirnov's for numbers, total variation for categories."""
    measure: str
    p: float
    """That chance alone makes it as large, were rows independent."""
    psi: float
    """Population stability index, over deciles of the reference or over categories."""
    told: str = ""
    """What changed most, in words."""


def of_numbers(what: str, before: Floats, now: Floats) -> Difference:
    """Kolmogorov-Smirnov's two-sample test; neither sample is empty."""
    from scipy.stats import ks_2samp

    found = ks_2samp(before, now, method="asymp")
    edges = np.unique(np.quantile(before, _DECILES))
    counts = [np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1) for x in (before, now)]
    told = f"median {value(float(np.median(before)))} before, {value(float(np.median(now)))} now"
    return Difference(what, float(found.statistic), "KS", float(found.pvalue), _psi(*counts), told)


def of_categories(what: str, before: Mapping[str, int], now: Mapping[str, int]) -> Difference:
    """Total variation distance, and the chi-square test of homogeneity; both have rows."""
    from scipy.stats import chi2_contingency

    names = sorted({*before, *now})
    table = np.array([[one.get(name, 0) for name in names] for one in (before, now)], dtype=np.float64)
    shares = table / table.sum(axis=1, keepdims=True)
    change = shares[1] - shares[0]
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < _EXPECTED
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) if rare.any() else table
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    p = float(chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else 1.0
    most = int(np.abs(change).argmax())
    told = f"{names[most][:40]!r} {shares[0, most]:.1%} before, {shares[1, most]:.1%} now"
    return Difference(what, float(np.abs(change).sum() / 2), "TV", p, _psi(table[0], table[1]), told)


def with_holm(found: Sequence[Difference]) -> list[Difference]:
    """The same, with Holm's correction over all of them."""
    return [replace(one, p=p) for one, p in zip(found, holm([one.p for one in found]), strict=True)]


def _psi(before: NDArray[np.generic], now: NDArray[np.generic]) -> float:
    a, b = (np.maximum(np.asarray(x, dtype=np.float64) / max(1, np.sum(x)), _LEAST_SHARE) for x in (before, now))
    return float(((b - a) * np.log(b / a)).sum())
