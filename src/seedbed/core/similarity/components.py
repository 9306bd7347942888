"""Connected components: rows that are joined by pairs, directly or through others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def components(n: int, left: ArrayLike, right: ArrayLike) -> NDArray[np.int64]:
    """The component of each of `n` members, named by its smallest member.

    Roots of joined members hook onto the smaller root, then pointers are followed to the end, until no pair joins two
    roots (Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", 1982).

    Args:
        n: Members, 0 to n - 1.
        left: One end of each pair, shape (pairs,).
        right: The other end, shape (pairs,).

    Returns:
        Shape (n,).
    """
    label = np.arange(n, dtype=np.int64)
    one, other = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    while one.size:
        one, other = label[one], label[other]
        apart = one != other
        one, other = one[apart], other[apart]
        np.minimum.at(label, np.maximum(one, other), np.minimum(one, other))
        while True:
            further = label[label]
            if np.array_equal(further, label):
                break
            label = further
    return label
