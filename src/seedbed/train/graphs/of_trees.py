"""Decision trees as a graph, on the columns of a table or on what is made of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.graph import TREES, TREES_OPSET, Graph
from seedbed.train.columns import ColumnFeatures
from seedbed.train.scale import Scale
from seedbed.train.text_features import TextFeatures
from seedbed.train.trees import Trees

from . import of_columns, of_terms
from .building import Building


@dataclass(frozen=True)
class Grown:
    """What a model of trees keeps of what was learned."""

    columns: ColumnFeatures | TextFeatures
    """How rows become what the trees are asked about."""
    trees: Trees
    link: str
    """What becomes of what they add up to."""
    start: NDArray[np.float64]
    """What is added to, shape (outputs,)."""
    labels: tuple[str, ...]
    """The labels; none where the answer is a number."""
    seen: Sequence[int]
    """Which of them outputs are about."""
    scale: Scale
    """Of a number."""


def trees_graph(model: Grown, temperature: float) -> Graph:
    """Rows as numbers, or one text's terms, to answers; compared in float64, as in training.

    Args:
        model: What was learned.
        temperature: Of calibrated probabilities.
    """
    graph, columns, outputs = Building(), model.columns, max(len(model.labels), 1)
    if isinstance(columns, ColumnFeatures):
        features = graph.reads(of_columns.FEATURES, np.float64, ["rows", columns.width])
        answers = _answers(graph, model, features, temperature)
        written = graph.done(answers, outputs, "rows", np.float64)
        reads, told = (*columns.numbers, *columns.named), of_columns.told_of(columns)
        return Graph(written, "numbers", model.labels, reads, told)
    (terms,) = columns.terms
    if columns.directions is None:
        features = of_terms.spread_terms(graph, terms)
    else:
        features = of_terms.weigh_terms(graph, terms, columns.directions)
    answers = _answers(graph, model, graph.cast(features, np.float64), temperature)
    written = graph.done(answers, outputs, 1, np.float64)
    told, files = of_terms.told_of(columns.terms), of_terms.vocabulary_of(columns.terms)
    return Graph(written, "terms", model.labels, (columns.text,), told, files)


def _answers(graph: Building, model: Grown, features: str, temperature: float) -> str:
    """What the model answers, float64, shape (rows, outputs)."""
    total = _added(graph, features, model.columns.width, model)
    if model.link == "mean":
        total = graph.do("Div", total, graph.constant(np.float64(len(model.trees))))
    elif model.link == "softmax":
        total = graph.do("Softmax", total, axis=1)
    elif model.link == "logistic":
        second = graph.do("Sigmoid", total)
        first = graph.do("Sub", graph.constant(np.float64(1)), second)
        total = graph.do("Concat", first, second, axis=1)
    if not model.labels:
        return graph.exponential(total, np.float64) if model.scale.log else total
    return graph.heated(graph.placed(total, model.seen, len(model.labels), np.float64), temperature, np.float64)


def _added(graph: Building, features: str, width: int, model: Grown) -> str:
    """What the leaves of each row add up to, float64, shape (rows, outputs).

    Args:
        graph: Where to.
        features: Float64, shape (rows, features).
        width: How many there are.
        model: Whose trees are asked.
    """
    from onnx import numpy_helper

    trees = model.trees
    if trees.single:
        features = graph.cast(graph.cast(features, np.float32), np.float64)
    features, asked = _with_sets(graph, features, width, trees)
    inner, sets = trees.left >= 0, trees.categories >= 0
    threshold = np.where(sets, 0.5, np.where(inner, trees.threshold, 0.0))
    tree = np.searchsorted(trees.roots, np.arange(len(inner)), side="right") - 1
    first = trees.roots[tree]
    place = np.arange(len(inner)) - first
    graph.domains[TREES] = TREES_OPSET
    leaves, base = _leaves(model, tree, place)
    found = graph.do(
        "TreeEnsembleRegressor",
        features,
        domain=TREES,
        n_targets=len(model.start),
        nodes_treeids=tree.tolist(),
        nodes_nodeids=place.tolist(),
        nodes_featureids=np.where(inner, asked, 0).tolist(),
        nodes_modes=np.where(inner, "BRANCH_LEQ", "LEAF").tolist(),
        nodes_values_as_tensor=numpy_helper.from_array(threshold),
        nodes_truenodeids=np.where(inner, trees.left - first, 0).tolist(),
        nodes_falsenodeids=np.where(inner, trees.right - first, 0).tolist(),
        nodes_missing_value_tracks_true=(inner & (trees.missing_left == 1)).astype(np.int64).tolist(),
        **leaves,
    )
    return graph.do("Add", graph.cast(found, np.float64), graph.constant(base))


def _with_sets(graph: Building, features: str, width: int, trees: Trees) -> tuple[str, NDArray[np.int32]]:
    """The operator asks numbers alone: a set of categories becomes a feature, 0 for its members and 1 for others.

    Returns:
        The features with these beside them, and the feature that each node asks about.
    """
    asked, nodes = trees.feature.copy(), np.flatnonzero(trees.categories >= 0)
    whole, missing = [features], trees.goes_left.shape[1]
    for place in np.unique(trees.feature[nodes]).tolist():
        here = nodes[trees.feature[nodes] == place]
        left = np.column_stack([trees.goes_left[trees.categories[here]], trees.missing_left[here]])
        sets, which = np.unique(left, axis=0, return_inverse=True)
        asked[here] = width + which.reshape(-1)
        width += len(sets)
        outside = graph.constant(1.0 - sets.T.astype(np.float64))
        whole.append(graph.do("Gather", outside, of_columns.code_at(graph, features, place, missing)))
    return (graph.do("Concat", *whole, axis=1) if len(whole) > 1 else features), asked


def _leaves(
    model: Grown, tree: NDArray[np.intp], place: NDArray[np.intp]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Attributes of the leaves, and what is to be added to what they come to.

    The operator adds up in 32 bits. So that little is lost of numbers that are large and alike, each tree's mean stands
    outside; shares of labels stay as they are, so that what has none gets exactly 0.
    """
    from onnx import numpy_helper

    trees, base = model.trees, model.start.astype(np.float64).copy()
    leaf, width = np.flatnonzero(trees.left < 0), trees.values.shape[1]
    values, of = trees.values[trees.right[leaf]], tree[leaf]
    means = np.zeros((len(trees), width))
    outputs = trees.output[:, None] + np.arange(width)
    if not model.labels:
        np.add.at(means, of, values)
        means /= np.bincount(of, minlength=len(trees))[:, None]
        np.add.at(base, outputs, means)
    return {
        "target_treeids": np.repeat(of, width).tolist(),
        "target_nodeids": np.repeat(place[leaf], width).tolist(),
        "target_ids": outputs[of].reshape(-1).tolist(),
        "target_weights_as_tensor": numpy_helper.from_array((values - means[of]).reshape(-1)),
    }, base[None, :]
