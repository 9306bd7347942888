"""Means of the label by category, of all rows and of all folds but one."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError


def outputs(label: pl.Series, *, number: bool, at: str) -> tuple[list[str] | None, NDArray[np.float64]]:
    """What means are taken of.

    Args:
        label: Of each row.
        number: Whether it is one; else it is a category.
        at: For errors.

    Returns:
        The classes that get a column (all, or the second of two; None for a number), and values of shape
        (rows, columns), NaN where the label is missing.

    Raises:
        DataError: The label is no number, or has one class only.
    """
    if number:
        numbers = label.cast(pl.Float64, strict=False)
        if numbers.null_count() > label.null_count():
            raise DataError(f"the label {label.name!r} is no number in every row", at=at, hint="label_is: category")
        return None, numbers.fill_null(float("nan")).to_numpy().reshape(-1, 1)
    texts = label.cast(pl.String)
    classes = sorted(texts.drop_nulls().unique())
    if len(classes) < 2:
        raise DataError(f"training rows have {len(classes)} label, and target means need two at least", at=at)
    shown = classes[1:] if len(classes) == 2 else classes
    values = np.stack([(texts == one).cast(pl.Float64).fill_null(float("nan")).to_numpy() for one in shown], axis=1)
    return shown, values


def encodings(
    codes: pl.Series, folds: pl.Series, values: NDArray[np.float64], categories: int, of: int, smooth: float
) -> list[list[list[float]]]:
    """Means by category, smoothed: (sum + smooth x mean of all) / (rows + smooth).

    Args:
        codes: The category of each row, from 0; -1 for others.
        folds: The fold of each row, from 0.
        values: Shape (rows, columns); rows with NaN are left out.
        categories: How many there are.
        of: How many folds there are.
        smooth: Rows that the mean of all counts for.

    Returns:
        Shape (1 + folds, 1 + categories, columns): first of all rows, then of all but those of each fold; of each,
        first what stands for other categories, then theirs.
    """
    known = ~np.isnan(values).any(axis=1)
    code, fold, rows = codes.to_numpy()[known] + 1, folds.to_numpy()[known], values[known]
    sums, counts = np.zeros((of, categories + 1, values.shape[1])), np.zeros((of, categories + 1, 1))
    np.add.at(sums, (fold, code), rows)
    np.add.at(counts, (fold, code), 1.0)
    means = []
    for left_out in (None, *range(of)):
        total, n = (
            (sums.sum(0), counts.sum(0))
            if left_out is None
            else (sums.sum(0) - sums[left_out], counts.sum(0) - counts[left_out])
        )
        mean = total.sum(0) / max(n.sum(), 1.0)
        found = np.divide(total + smooth * mean, n + smooth, out=np.tile(mean, (len(n), 1)), where=n + smooth > 0)
        found[0] = mean
        found[(n == 0)[:, 0]] = mean
        means.append(found.tolist())
    return means
