"""How far a row is from the middle of most others, by how the columns go together; as plain numbers.

Source: Rousseeuw and Van Driessen, A Fast Algorithm for the Minimum Covariance Determinant Estimator (Technometrics
1999), as scikit-learn has it: middle and covariance are those of the half of the rows that lie closest together, so
that the outliers themselves do not move them.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.errors import DataError

#: Rows that the middle of most is looked for among: its cost grows with them, its precision hardly.
_MOST_ROWS = 5_000


def most_of(values: NDArray[np.float64], seed: int, *, at: str) -> dict[str, Any]:
    """Where most rows are.

    Args:
        values: Shape (rows, columns), none missing.
        seed: Which rows are tried.
        at: For errors.

    Returns:
        The `middle`, and `inverse`, the inverse of the covariance.

    Raises:
        DataError: Most rows are the same in some column, or some columns say the same.
    """
    from sklearn.covariance import MinCovDet

    chance = np.random.default_rng(seed)
    if len(values) > _MOST_ROWS:
        values = values[np.sort(chance.choice(len(values), _MOST_ROWS, replace=False))]
    problem = DataError(
        "the columns have too little spread to measure distances by, or some say the same, in most training rows",
        at=at,
        hint="leave columns out, or take method: isolation_forest",
    )
    if len(values) <= 2 * values.shape[1]:
        raise problem
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = MinCovDet(random_state=seed % 2**32).fit(values)
        except (UserWarning, RuntimeWarning, ValueError, np.linalg.LinAlgError):
            raise problem from None
    inverse = found.get_precision()
    if not np.isfinite(inverse).all() or np.linalg.matrix_rank(found.covariance_) < values.shape[1]:
        raise problem
    return {"middle": found.location_.tolist(), "inverse": inverse.tolist()}


def distances(learned: dict[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each row is from the middle, shape (rows,), in standard deviations."""
    away = values - np.array(learned["middle"])
    squared = np.sum((away[:, :, None] * np.array(learned["inverse"])).sum(axis=1) * away, axis=1)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def usual_distance(columns: int, share: float) -> float:
    """The distance that a share of normal rows pass."""
    from scipy.stats import chi2

    return float(np.sqrt(chi2.ppf(1 - share, columns)))
