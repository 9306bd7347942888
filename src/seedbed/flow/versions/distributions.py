"""Are values spread as before? Labels, lengths, numbers and categories of two datasets, tested, with Holm's correction.

Labels and categories: the chi-square test of homogeneity (Pearson 1900), values expected fewer than five times put
together, with Cramér's V. Numbers and lengths: the two-sample Kolmogorov-Smirnov test with the asymptotic distribution
and Stephens' (1970) correction for size; its statistic, the largest distance of the two distribution functions, is the
effect, too. Rows that both datasets have count on both sides, which makes the tests careful, never rash.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from seedbed.core.difference import Distribution
from seedbed.core.statistics.holm import holm

from .tables import Tables, column

#: A column with more values than this is no category.
MOST_CATEGORIES = 50
LEVEL = 0.05
_RARE = 5


@dataclass(frozen=True)
class _Tested:
    about: str
    kind: Literal["labels", "lengths", "numbers", "categories"]
    statistic: float
    p: float
    effect: float
    a: dict[str, float]
    b: dict[str, float]
    n: tuple[int, int]


def distributions(tables: Tables) -> tuple[Distribution, ...]:
    """Compare the spread of what both datasets have, the largest effects first."""
    tested = list(_tested(tables))
    corrected = holm([one.p for one in tested])
    found = [
        Distribution(
            about=one.about,
            kind=one.kind,
            test="chi-square" if one.kind in ("labels", "categories") else "Kolmogorov-Smirnov",
            statistic=one.statistic,
            p=one.p,
            p_holm=p,
            effect=one.effect,
            a=one.a,
            b=one.b,
            n_a=one.n[0],
            n_b=one.n[1],
            verdict="differs" if p < LEVEL else "not distinguishable",
        )
        for one, p in zip(tested, corrected, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (one.verdict != "differs", -one.effect, one.about)))


def _tested(tables: Tables) -> Iterator[_Tested]:
    text = tables.text(tables.b) if tables.b.text or tables.a.text else None
    for name in tables.columns:
        found = _tested_column(tables, name, is_text=name == text)
        if found is not None:
            yield found


def _tested_column(tables: Tables, name: str, is_text: bool) -> _Tested | None:
    """A column by what it holds; texts with too many values to be categories by their lengths."""
    kinds = tables.a.schema[name], tables.b.schema[name]
    if name == tables.label:
        labels = _categories(tables, name, 1_000)
        return labels and replace(labels, kind="labels")
    if all(kind.is_numeric() for kind in kinds):
        return _numbers(tables, name, f"CAST({column(name)} AS DOUBLE)")
    if not all(kind in (pl.String, pl.Boolean) or isinstance(kind, pl.Categorical | pl.Enum) for kind in kinds):
        return None
    categories = None if is_text else _categories(tables, name, MOST_CATEGORIES)
    if categories is not None or kinds[0] == pl.Boolean:
        return categories
    lengths = _numbers(tables, name, f"CAST(length({column(name)}) AS DOUBLE)")
    return lengths and replace(lengths, about=f"length of {name}", kind="lengths")


def _categories(tables: Tables, name: str, most: int) -> _Tested | None:
    """A column as categories; none where it has too many values, or only one."""
    counted = " UNION ALL ".join(
        f"SELECT CAST({column(name)} AS VARCHAR) AS v, {side} AS side FROM {'ab'[side]} "
        f"WHERE {column(name)} IS NOT NULL"
        for side in (0, 1)
    )
    counts = tables.all(
        "SELECT v, count(*) FILTER (side = 0), count(*) FILTER (side = 1) "
        f"FROM ({counted}) GROUP BY v ORDER BY count(*) DESC, v LIMIT {most + 1}"
    )
    n = sum(a for _, a, _ in counts), sum(b for _, _, b in counts)
    if not 2 <= len(counts) <= most or not all(n):
        return None
    statistic, freedom = _chi_square([(a, b) for _, a, b in counts])
    if not freedom:
        return None
    from scipy.special import chdtrc

    a = {value: rows / n[0] for value, rows, _ in counts}
    b = {value: rows / n[1] for value, _, rows in counts}
    effect = math.sqrt(statistic / sum(n))
    return _Tested(name, "categories", statistic, float(chdtrc(freedom, statistic)), effect, a, b, n)


def _chi_square(counts: list[tuple[int, int]]) -> tuple[float, int]:
    """The statistic and its degrees of freedom; none where too few values are frequent enough."""
    n = [sum(pair[side] for pair in counts) for side in (0, 1)]
    smaller = min(n) / sum(n)
    frequent = [pair for pair in counts if sum(pair) * smaller >= _RARE]
    rare = [pair for pair in counts if sum(pair) * smaller < _RARE]
    if rare:
        frequent.append((sum(a for a, _ in rare), sum(b for _, b in rare)))
    statistic = 0.0
    for pair in frequent:
        for side in (0, 1):
            expected = sum(pair) * n[side] / sum(n)
            statistic += (pair[side] - expected) ** 2 / expected
    return statistic, len(frequent) - 1


def _numbers(tables: Tables, name: str, value: str) -> _Tested | None:
    """A column as numbers; none where a side has none."""
    counted = " UNION ALL ".join(
        f"SELECT {value} AS x, {side} AS side FROM {'ab'[side]} WHERE {column(name)} IS NOT NULL" for side in (0, 1)
    )
    tables.connection.execute(
        "CREATE OR REPLACE TEMP TABLE spread AS SELECT x, sum(a) OVER up AS a, sum(b) OVER up AS b FROM "
        "(SELECT x, count(*) FILTER (side = 0) AS a, count(*) FILTER (side = 1) AS b "
        f"FROM ({counted}) WHERE isfinite(x) GROUP BY x) WINDOW up AS (ORDER BY x)"
    )
    n_a, n_b = tables.all("SELECT max(a), max(b) FROM spread")[0]
    if not n_a or not n_b:
        return None
    n = int(n_a), int(n_b)
    distance = float(tables.all(f"SELECT max(abs(a / {n[0]} - b / {n[1]})) FROM spread")[0][0])
    from scipy.special import kolmogorov

    root = math.sqrt(n[0] * n[1] / sum(n))
    p = float(kolmogorov((root + 0.12 + 0.11 / root) * distance))
    quartiles = [
        {word: tables.all(f"SELECT min(x) FROM spread WHERE {'ab'[side]} >= {share * n[side]}")[0][0]
         for word, share in (("25 %", 0.25), ("50 %", 0.5), ("75 %", 0.75))}
        for side in (0, 1)
    ]  # fmt: skip
    return _Tested(name, "numbers", distance, p, distance, quartiles[0], quartiles[1], n)
