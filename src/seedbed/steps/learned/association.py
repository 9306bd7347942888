"""How much features say about a label: chi-square and mutual information, as scikit-learn and SciPy reckon them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError


@dataclass(frozen=True)
class Features:
    """Features of training rows."""

    names: tuple[tuple[str, int], ...]
    """Column, and place in its vector; 0 where it is none."""
    values: NDArray[np.float64]
    """Shape (rows, features); codes of categories where they are."""
    categories: NDArray[np.bool_]
    """Which features are categories."""


def features_of(rows: pl.DataFrame, *, at: str) -> Features:
    """Each column as features. Missing numbers are the column's median; missing text is a category.

    Raises:
        DataError: A column holds something that is no feature.
    """
    names: list[tuple[str, int]] = []
    tables: list[NDArray[np.float64]] = []
    categories: list[bool] = []
    for column in rows:
        kind = column.dtype
        if isinstance(kind, pl.Array) and kind.inner.is_numeric():
            table = column.to_numpy().reshape(len(column), -1)
        elif kind.is_numeric() or kind in (pl.Boolean, pl.Null):
            number = column.cast(pl.Float64)
            number = number.zip_with(number.is_finite().fill_null(False), pl.Series([None], dtype=pl.Float64))
            middle = number.median()
            table = number.fill_null(0.0 if middle is None else middle).to_numpy().reshape(-1, 1)
        elif kind in (pl.String, pl.Categorical, pl.Enum):
            table = column.cast(pl.String).fill_null("").rank("dense").to_numpy().reshape(-1, 1)
        else:
            raise DataError(f"the column {column.name!r} holds {kind}, no feature", at=at, hint="leave it out")
        names += [(column.name, place) for place in range(table.shape[1])]
        tables.append(np.asarray(table, dtype=np.float64))
        categories += [kind in (pl.String, pl.Categorical, pl.Enum)] * table.shape[1]
    values = np.concatenate(tables, axis=1) if tables else np.zeros((rows.height, 0))
    return Features(tuple(names), values, np.array(categories, dtype=bool))


def chi_squares(features: Features, label: pl.Series, *, at: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chi-square of each feature and a label of categories, and its p-value: that it would be as large by chance.

    Numbers are taken as counts (or shares of them), categories as what they are.

    Raises:
        DataError: A number is negative.
    """
    from scipy.stats import chi2_contingency
    from sklearn.feature_selection import chi2

    numbers = ~features.categories
    if (features.values[:, numbers] < 0).any():
        name, _ = features.names[int(np.flatnonzero(numbers & (features.values < 0).any(axis=0))[0])]
        raise DataError(
            f"chi-square takes counts, and {name!r} has negative numbers",
            at=at,
            hint="score: mutual_information, or scale it to 0 to 1 before (method: min_max)",
        )
    scores, chances = np.zeros(len(features.names)), np.ones(len(features.names))
    codes = label.rank("dense").to_numpy()
    if numbers.any():
        with np.errstate(divide="ignore", invalid="ignore"):  # what is 0 in every row says nothing
            found = chi2(features.values[:, numbers], codes)
        scores[numbers], chances[numbers] = np.nan_to_num(found[0], nan=0.0), np.nan_to_num(found[1], nan=1.0)
    for place in np.flatnonzero(features.categories):
        table = _crossed(features.values[:, place], codes)
        if min(table.shape) > 1:
            tested = chi2_contingency(table, correction=False)
            scores[place], chances[place] = float(tested.statistic), float(tested.pvalue)
    return scores, chances


def mutual_informations(features: Features, label: pl.Series, seed: int, *, number: bool) -> NDArray[np.float64]:
    """Mutual information of each feature and the label in nats, by the distances to the three nearest rows.

    Source: Ross, PLoS ONE 2014; Kraskov, Stögbauer and Grassberger, Physical Review E 2004.
    """
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    estimate = mutual_info_regression if number else mutual_info_classif
    target = (label.cast(pl.Float64) if number else label.rank("dense")).to_numpy()
    return np.asarray(
        estimate(features.values, target, discrete_features=features.categories, random_state=seed % 2**32)
    )


def adjusted(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """P-values so that a limit on them limits the share of false discoveries (Benjamini and Hochberg, 1995)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(chances, method="bh")) if len(chances) else chances


def _crossed(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.int64]:
    rows, columns = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
    table = np.zeros((rows.max() + 1, columns.max() + 1), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return table
