"""An isolation forest as plain numbers: scikit-learn grows it, and whoever has the numbers can ask it.

Source: Liu, Ting and Zhou, Isolation Forest (ICDM 2008). A value that few cuts part from the others is odd: its score
is 2 ** (-mean path length / c(rows per tree)), near 1 for what is parted at once and below 0.5 for what is ordinary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TREES = 100
_ROWS_PER_TREE = 256


def grown(values: NDArray[np.float64], seed: int) -> dict[str, Any]:
    """A forest.

    Args:
        values: Shape (rows, columns), none missing; at least one row.
        seed: Which rows and cuts are drawn.

    Returns:
        `norm`, the path length that stands for a score of 0.5, and `trees`; of each, by node, `left` and `right`
        (places of the nodes below, -1 for none), `column`, `cut` and `length` (of the path that ends there).
    """
    from sklearn.ensemble import IsolationForest

    each = min(_ROWS_PER_TREE, len(values))
    forest = IsolationForest(n_estimators=_TREES, max_samples=each, random_state=seed % 2**32).fit(values)
    return {"norm": _expected(each), "trees": [_plain(one.tree_) for one in forest.estimators_]}


def scores(forest: dict[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How odd each row is, shape (rows,), from 0 to 1."""
    narrow = values.astype(np.float32)  # as the forest saw them
    total = np.zeros(len(values))
    for tree in forest["trees"]:
        total += _lengths(tree, narrow)
    return np.asarray(np.exp2(-total / (max(len(forest["trees"]), 1) * forest["norm"])))


def _plain(tree: Any) -> dict[str, list[Any]]:
    depths = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # a node stands before those below it
        for below in (tree.children_left[node], tree.children_right[node]):
            if below >= 0:
                depths[below] = depths[node] + 1
    lengths = depths + np.array([_expected(int(rows), alone=0.0) for rows in tree.n_node_samples])
    return {
        "left": tree.children_left.tolist(),
        "right": tree.children_right.tolist(),
        "column": np.maximum(tree.feature, 0).tolist(),
        "cut": tree.threshold.tolist(),
        "length": lengths.tolist(),
    }


def _lengths(tree: dict[str, list[Any]], values: NDArray[np.float32]) -> NDArray[np.float64]:
    left, right = np.array(tree["left"]), np.array(tree["right"])
    column, cut = np.array(tree["column"]), np.array(tree["cut"])
    rows = np.arange(len(values))
    node = np.zeros(len(values), dtype=np.int64)
    while True:
        inside = left[node] >= 0
        if not inside.any():
            return np.asarray(np.array(tree["length"])[node])
        below = values[rows, column[node]] <= cut[node]
        node = np.where(inside, np.where(below, left[node], right[node]), node)


def _expected(rows: int, alone: float = 1.0) -> float:
    """Mean length of a path among so many rows: that of a search that fails in a binary search tree."""
    if rows <= 1:
        return alone
    if rows == 2:
        return 1.0
    return 2.0 * (float(np.log(rows - 1.0)) + float(np.euler_gamma)) - 2.0 * (rows - 1.0) / rows
