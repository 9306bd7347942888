"""The mean over labels that macro averages share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_over_labels(shares: NDArray[Any], cells: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of a number per label, over labels that occur in the truth or among the predictions.

    Args:
        shares: Shape (…, labels); 0 for labels that do not occur.
        cells: Confusion matrices, shape (…, labels, labels), truth in rows.

    Returns:
        Shape (…); NaN where there are no rows.
    """
    present = (cells.sum(-1) + cells.sum(-2) > 0).sum(-1)
    return np.asarray(np.where(present > 0, shares.sum(-1) / np.maximum(present, 1), np.nan))
