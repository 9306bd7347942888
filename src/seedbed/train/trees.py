"""Decision trees as plain arrays, answered by NumPy alone as scikit-learn answers, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rows times trees that are looked at together.
_CELLS = 1 << 20


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, one after the other.

    A row starts at a tree's root. At a node it goes left where its feature is at most the threshold, or, at a node of
    categories, where `goes_left` says so of its category; a missing value goes where `missing_left` says. A leaf adds
    its values to the outputs of the tree.
    """

    roots: NDArray[np.int32]
    """First node of each tree, shape (trees,)."""
    output: NDArray[np.int32]
    """First output that a tree adds to, shape (trees,)."""
    feature: NDArray[np.int32]
    """Shape (nodes,), as all that follow but the last two."""
    threshold: Floats
    left: NDArray[np.int32]
    """The left node; -1 at a leaf."""
    right: NDArray[np.int32]
    """The right node; at a leaf the place of its values."""
    missing_left: NDArray[np.uint8]
    categories: NDArray[np.int32]
    """Row of `goes_left`; -1 where numbers are compared."""
    goes_left: NDArray[np.uint8]
    """Whether a category goes left, shape (nodes of categories, codes)."""
    values: Floats
    """Shape (leaves, outputs of a tree)."""
    single: bool
    """Whether numbers are rounded to 32 bits before they are compared."""

    def __len__(self) -> int:
        return len(self.roots)

    def first(self, trees: int) -> Trees:
        """The first of the trees alone."""
        nodes = int(self.roots[trees]) if trees < len(self) else len(self.left)
        each = ("feature", "threshold", "left", "right", "missing_left", "categories")
        kept = {name: getattr(self, name)[:nodes] for name in each}
        leaves, splits = int((kept["left"] < 0).sum()), int((kept["categories"] >= 0).sum())
        return Trees(
            roots=self.roots[:trees],
            output=self.output[:trees],
            **kept,
            goes_left=self.goes_left[:splits],
            values=self.values[:leaves],
            single=self.single,
        )

    def leaves(self, features: Floats) -> NDArray[np.int32]:
        """Places in `values` of the leaves that rows come to, shape (rows, trees).

        Args:
            features: Shape (rows, features); not a number where a value is missing.
        """
        seen: NDArray[Any] = features.astype(np.float32) if self.single else features
        rows, trees = len(features), len(self.roots)
        node = np.tile(self.roots, rows)
        active = np.arange(node.size)
        while True:
            at = node[active]
            left = self.left[at]
            inner = left >= 0
            if not inner.all():
                active, at, left = active[inner], at[inner], left[inner]
            if not active.size:
                return self.right[node].reshape(rows, trees)
            value = seen[active // trees, self.feature[at]]
            node[active] = np.where(self._left(value, at), left, self.right[at])

    def _left(self, value: NDArray[Any], at: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which values go left at their nodes."""
        goes = value <= self.threshold[at]
        missing = np.isnan(value)
        if self.goes_left.size:
            split = self.categories[at]
            named = np.flatnonzero((split >= 0) & ~missing)
            goes[named] = self.goes_left[split[named], value[named].astype(np.intp)] == 1
        return np.asarray(np.where(missing, self.missing_left[at] == 1, goes))

    def add(self, features: Floats, start: Floats) -> Floats:
        """What the leaves of each row add up to, tree by tree: shape (rows, outputs).

        Args:
            features: Shape (rows, features).
            start: What each output starts from, shape (outputs,).
        """
        total = np.tile(start, (len(features), 1))
        most = max(1, _CELLS // max(1, len(self)))
        for begin in range(0, len(features), most):
            here = slice(begin, begin + most)
            for outputs, added in self.each(features[here]):
                total[here, outputs] += added
        return total

    def each(self, features: Floats) -> Iterator[tuple[slice, Floats]]:
        """Tree by tree, the outputs that it adds to and what it adds for each row, shape (rows, those outputs)."""
        leaves, width = self.leaves(features), self.values.shape[1]
        for tree, output in enumerate(self.output.tolist()):
            yield slice(output, output + width), self.values[leaves[:, tree]]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays to save."""
        return {field.name: np.atleast_1d(np.asarray(getattr(self, field.name))) for field in fields(self)}

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> Trees:
        """From what `arrays` gave."""
        found = {field.name: arrays[field.name] for field in fields(cls)}
        return cls(**{**found, "single": bool(found["single"][0])})  # type: ignore[arg-type]


def of_estimators(estimators: Sequence[Any]) -> Trees:
    """Trees of scikit-learn's `DecisionTree…` or of a forest of them: leaves hold shares of labels, or a number."""
    found = []
    for estimator in estimators:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        found.append(
            _Tree(
                leaf=leaf,
                feature=tree.feature,
                threshold=tree.threshold,
                left=tree.children_left,
                right=tree.children_right,
                missing_left=tree.missing_go_to_left,
                values=tree.value[leaf, 0, :],
            )
        )
    return _joined(found, single=True)


def of_boosting(booster: Any, categories: NDArray[np.bool_], codes: int) -> Trees:
    """Trees of scikit-learn's `HistGradientBoosting…`: leaves hold what is added to one output.

    Args:
        booster: The estimator.
        categories: Which features are codes of categories, shape (features,).
        codes: Codes that a category can have, from 0.
    """
    # Categories stand first there, numbered in the order of those that training rows have.
    order = np.concatenate([np.flatnonzero(categories), np.flatnonzero(~categories)])
    known = booster._preprocessor.named_transformers_["encoder"].categories_ if categories.any() else []
    found = []
    for turn in booster._predictors:
        for output, one in enumerate(turn):
            nodes, leaf = one.nodes, one.nodes["is_leaf"] == 1
            named = (nodes["is_categorical"] == 1) & ~leaf
            found.append(
                _Tree(
                    leaf=leaf,
                    feature=order[np.where(leaf, 0, nodes["feature_idx"])],
                    threshold=nodes["num_threshold"],
                    left=nodes["left"],
                    right=nodes["right"],
                    missing_left=nodes["missing_go_to_left"],
                    values=nodes["value"][leaf][:, None],
                    output=output,
                    named=named,
                    goes_left=np.array(
                        [_goes_left(node, one.raw_left_cat_bitsets, known, codes) for node in nodes[named]],
                        dtype=np.uint8,
                    ).reshape(-1, codes),
                )
            )
    return _joined(found, single=False)


def _goes_left(node: Any, bitsets: NDArray[np.uint32], known: Sequence[Floats], codes: int) -> NDArray[np.uint8]:
    """Whether each code goes left at a node; one that training rows lack counts as missing."""
    found = np.full(codes, node["missing_go_to_left"], dtype=np.uint8)
    bits = bitsets[node["bitset_idx"]]
    for place, code in enumerate(known[node["feature_idx"]]):
        if not np.isnan(code):
            found[int(code)] = bits[place // 32] >> np.uint32(place % 32) & 1
    return found


@dataclass(frozen=True)
class _Tree:
    """A tree by itself, its nodes numbered from 0."""

    leaf: NDArray[np.bool_]
    feature: NDArray[Any]
    threshold: Floats
    left: NDArray[Any]
    right: NDArray[Any]
    missing_left: NDArray[Any]
    values: Floats
    output: int = 0
    named: NDArray[np.bool_] | None = None
    """Which nodes split categories."""
    goes_left: NDArray[np.uint8] | None = None


def _joined(trees: Sequence[_Tree], *, single: bool) -> Trees:
    """Trees side by side."""
    roots = np.cumsum([0, *(len(tree.leaf) for tree in trees)])[:-1]
    values = np.cumsum([0, *(len(tree.values) for tree in trees)])[:-1]
    tables = [tree.goes_left for tree in trees if tree.goes_left is not None]
    named = np.concatenate([tree.leaf & False if tree.named is None else tree.named for tree in trees])

    def together(each: Sequence[NDArray[Any]], kind: Any) -> Any:
        return np.concatenate(each).astype(kind)

    left = [np.where(t.leaf, -1, t.left.astype(np.int64) + root) for t, root in zip(trees, roots, strict=True)]
    right = [
        np.where(t.leaf, t.leaf.cumsum() - 1 + first, t.right.astype(np.int64) + root)
        for t, root, first in zip(trees, roots, values, strict=True)
    ]
    return Trees(
        roots=roots.astype(np.int32),
        output=np.array([tree.output for tree in trees], dtype=np.int32),
        feature=together([np.where(tree.leaf, 0, tree.feature) for tree in trees], np.int32),
        threshold=together([np.where(tree.leaf, 0.0, tree.threshold) for tree in trees], np.float64),
        left=together(left, np.int32),
        right=together(right, np.int32),
        missing_left=together([tree.missing_left for tree in trees], np.uint8),
        categories=np.where(named, named.cumsum() - 1, -1).astype(np.int32),
        goes_left=np.concatenate(tables) if tables else np.zeros((0, 0), dtype=np.uint8),
        values=np.concatenate([tree.values for tree in trees]).astype(np.float64),
        single=single,
    )
