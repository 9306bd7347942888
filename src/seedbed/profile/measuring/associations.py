"""Which columns hang together, and what each says about the label: told of the sample's rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.profile import Association, Kind, TowardLabel
from seedbed.core.statistics.holm import holm

#: Columns of each kind whose pairs are looked at, and pairs that are told.
_MOST_NUMBERS, _MOST_CATEGORIES, _TOLD = 100, 40, 100
#: How strongly two columns hang together at least, and how surely, to be told.
_WEAKEST, _SURE = 0.1, 0.05
_FEWEST = 20
_LEVELS, _CUTS = 50, 10
_OTHER = "\x00other"
_MOST_LABELS = 100
#: Columns that are held against the label.
_MOST_FEATURES = 300
_TOO_FEW = 0.05

Codes = NDArray[np.int64]


def associations(rows: pl.DataFrame, kinds: Mapping[str, Kind]) -> tuple[Association, ...]:
    """Pairs of numbers (Pearson's r with its interval, Spearman's) and of categories (Cramér's V), the strongest first.

    Cramér's V is corrected for its bias (Bergsma 2013). Told are pairs that hang together by at least 0.1 (a small
    effect: Cohen 1988) and more than chance explains (5 %, Holm-corrected over the pairs that were looked at).
    """
    numbers, categories = _paired(rows, kinds)
    found = [*_correlations(numbers[:_MOST_NUMBERS]), *_contingencies(categories[:_MOST_CATEGORIES])]
    corrected = holm([p for _, p in found])
    told = [one for (one, _), p in zip(found, corrected, strict=True) if p < _SURE and strength(one) >= _WEAKEST]
    return tuple(sorted(told, key=lambda one: (-strength(one), one.a, one.b))[:_TOLD])


def passed_over(rows: pl.DataFrame, kinds: Mapping[str, Kind], label: str | None) -> Iterator[str]:
    """What was left out of a wide table, in sentences."""
    for columns, most, what in zip(
        _paired(rows, kinds), (_MOST_NUMBERS, _MOST_CATEGORIES), ("numbers", "categories"), strict=True
    ):
        if len(columns) > most:
            yield f"pairs were looked for among the first {most} of {len(columns):,} columns of {what}"
    if label in rows.columns and rows.width > _MOST_FEATURES:
        yield f"the first {_MOST_FEATURES} of {rows.width:,} columns were held against the label"


def _paired(rows: pl.DataFrame, kinds: Mapping[str, Kind]) -> tuple[list[pl.Series], list[pl.Series]]:
    """Columns of numbers, and of categories."""
    columns = rows.get_columns()
    numbers = [one for one in columns if one.dtype == pl.Float64 and kinds.get(one.name) == "number"]
    return numbers, [one for one in columns if kinds.get(one.name) in ("category", "boolean")]


def strength(one: Association) -> float:
    """How strongly two columns hang together: by their values or, where single ones hide it, by their ranks."""
    return max(abs(one.value), abs(one.spearman or 0.0))


def _correlations(columns: list[pl.Series]) -> list[tuple[Association, float]]:
    """Each pair, and how likely chance would show as much."""
    held = {one.name: one.to_numpy() for one in columns}
    varied = [name for name, values in held.items() if np.isfinite(values).sum() >= _FEWEST]
    ranked: dict[str, NDArray[np.float64]] = {}
    found = []
    for a, b in combinations(varied, 2):
        both = np.isfinite(held[a]) & np.isfinite(held[b])
        n = int(both.sum())
        r = _pearson(held[a][both], held[b][both]) if n >= _FEWEST else None
        if r is None:
            continue
        if n == len(both):
            ranks = [ranked[name] if name in ranked else ranked.setdefault(name, _ranks(held[name])) for name in (a, b)]
        else:
            ranks = [_ranks(held[name][both]) for name in (a, b)]
        low, high = _fisher(r, n)
        rho = _pearson(*ranks)
        one = Association(
            a=a, b=b, measure="pearson", value=_short(r), low=_short(low), high=_short(high),
            spearman=None if rho is None else _short(rho), n=n,
        )  # fmt: skip
        found.append((one, _by_chance(strength(one), n)))
    return found


def _pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    with np.errstate(over="ignore", invalid="ignore"):
        x, y = a - a.mean(), b - b.mean()
        of = math.sqrt(float(x @ x) * float(y @ y)) if len(x) else 0.0
        if not 0 < of < math.inf:
            return None
        return max(-1.0, min(1.0, float(x @ y) / of))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks: NDArray[np.float64] = pl.Series(values).rank("average").to_numpy()
    return ranks


def _fisher(r: float, n: int) -> tuple[float, float]:
    if abs(r) >= 1 or n < 4:
        return r, r
    z, half = math.atanh(r), 1.959964 / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)


def _by_chance(r: float, n: int) -> float:
    """Two-sided p of a correlation, by Fisher's z."""
    return math.erfc(math.atanh(r) * math.sqrt((n - 3) / 2)) if r < 1 else 0.0


def _contingencies(columns: list[pl.Series]) -> list[tuple[Association, float]]:
    """Each pair, and how likely chance would show as much."""
    from scipy.special import chdtrc

    cut = {one.name: _codes(one) for one in columns}
    found = []
    for a, b in combinations(cut, 2):
        table = _table(cut[a], cut[b])
        n = int(table.sum())
        if n < _FEWEST or min(table.shape) < 2:
            continue
        chi2, (r, k) = _chi_square(table), table.shape
        phi = max(0.0, chi2 / n - (r - 1) * (k - 1) / (n - 1))
        levels = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
        if levels > 0:
            value = _short(min(1.0, math.sqrt(phi / levels)))
            p = float(chdtrc((r - 1) * (k - 1), chi2))
            found.append((Association(a=a, b=b, measure="cramers_v", value=value, n=n), p))
    return found


def toward_label(rows: pl.DataFrame, label: str | None) -> tuple[TowardLabel, ...]:
    """What each column says about the label, the most first: mutual information, and whether it could be chance.

    Args:
        rows: The sample: numbers as floats, categories as texts, lengths of texts as whole numbers.
        label: The label's column; one with more than 100 values is none.
    """
    if label is None or label not in rows.columns:
        return ()
    target = _quantiles(rows[label]) if rows[label].dtype == pl.Float64 and rows[label].n_unique() > _CUTS else None
    labels = _codes(rows[label].cast(pl.String), _MOST_LABELS) if target is None else target
    entropy = _entropy(np.bincount(labels[labels >= 0]))
    found = []
    for column in rows.get_columns()[:_MOST_FEATURES]:
        one = None if column.name == label else _toward(column, labels, entropy)
        found += [one] if one else []
    corrected = holm([one.p_holm for one in found])
    told = [one.model_copy(update={"p_holm": p}) for one, p in zip(found, corrected, strict=True)]
    return tuple(sorted(told, key=lambda one: (-one.information, one.column)))


def _toward(column: pl.Series, labels: Codes, entropy: float) -> TowardLabel | None:
    if column.dtype.is_numeric():
        codes, cut = _quantiles(column), f"at most {_CUTS} classes of as many rows each, and missing"
    else:
        codes, cut = _codes(column), f"the {_LEVELS} most frequent values, the others together, and missing"
    missing = codes < 0
    codes = np.where(missing, codes.max(initial=-1) + 1, codes)
    table = _table(codes, labels)
    n = int(table.sum())
    if n < _FEWEST or min(table.shape) < 2:
        return None
    from scipy.special import chdtrc

    information = max(0.0, _information(table) - (table.shape[0] - 1) * (table.shape[1] - 1) / (2 * n * math.log(2)))
    chi2 = _chi_square(table)
    p = float(chdtrc((table.shape[0] - 1) * (table.shape[1] - 1), chi2))
    share = information / entropy if entropy else 0.0
    return TowardLabel(
        column=column.name, information=_short(information), share=_short(min(1.0, share)), chi2=_short(chi2), p_holm=p,
        n=n, cut=cut,
    )  # fmt: skip


def _codes(column: pl.Series, most: int = _LEVELS) -> Codes:
    """A number for each of the most frequent values, one for all others, -1 for none."""
    named = column.cast(pl.String).alias("v")
    top = named.drop_nulls().value_counts(name="n").sort("n", "v", descending=[True, False])["v"].head(most)
    codes = pl.select(
        pl.when(named.is_null()).then(-1).otherwise(named.replace_strict(top, range(len(top)), default=len(top)))
    ).to_series()
    return codes.cast(pl.Int64).to_numpy()


def _quantiles(column: pl.Series) -> Codes:
    """Classes of about as many rows each; equal numbers are in one."""
    values = column.cast(pl.Float64).to_numpy()
    there = np.isfinite(values)
    codes = np.full(len(values), -1, np.int64)
    if there.any():
        edges = np.unique(np.quantile(values[there], np.linspace(0, 1, _CUTS + 1)[1:-1], method="lower"))
        codes[there] = np.searchsorted(edges, values[there], side="left")
    return codes


def _table(a: Codes, b: Codes) -> NDArray[np.float64]:
    """Rows by class of one and of the other, without classes that are empty."""
    both = (a >= 0) & (b >= 0)
    if not both.any():
        return np.zeros((0, 0))
    wide = int(b[both].max()) + 1
    counts = np.bincount(a[both] * wide + b[both], minlength=(int(a[both].max()) + 1) * wide).reshape(-1, wide)
    table: NDArray[np.float64] = counts[counts.sum(1) > 0][:, counts.sum(0) > 0].astype(float)
    return table


def _chi_square(table: NDArray[np.float64]) -> float:
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def _information(table: NDArray[np.float64]) -> float:
    n = table.sum()
    ratio = np.where(table > 0, table * n / np.outer(table.sum(1), table.sum(0)), 1)
    return float((table / n * np.log2(ratio)).sum())


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum() if counts.sum() else np.ones(1)
    return float(-(share * np.log2(share)).sum())


def _short(value: float) -> float:
    return float(f"{value:.6g}")
