"""A linear layer on the columns of a table as a graph: rows as numbers go in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.graph import Graph
from seedbed.train.columns import ColumnFeatures

from .building import Building, LinearLayer

FEATURES = "features"
#: How whoever feeds the graph makes numbers of a row, in words: the runtimes that are exported do it so.
RULE = (
    "first each of `numbers`, as it is (a date as microseconds since 1970; what is no number, or nothing of its "
    "column's kind in `types`, as missing); then the code of each of `categories`, or, of a value that is not named "
    "there, how many are named; missing is NaN"
)


def told_of(columns: ColumnFeatures) -> dict[str, Any]:
    """What must be known of columns to feed a graph."""
    return {
        "features": {FEATURES: {"numbers": list(columns.numbers), "categories": columns.named}},
        "rules": {FEATURES: RULE},
    }


def columns_graph(
    layer: LinearLayer, columns: ColumnFeatures, scale: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> Graph:
    """Rows as numbers, shape (rows, features), to answers; computed in float64, as in training.

    Args:
        layer: On scaled numbers, flags of missing ones, and categories.
        columns: What is read.
        scale: Means and standard deviations of the numbers, shape (numbers,).
    """
    graph, (means, deviations) = Building(), scale
    count = len(columns.numbers)
    features = graph.reads(FEATURES, np.float64, ["rows", columns.width])
    seen = layer.weights.astype(np.float64)
    scores = graph.constant(layer.start(np.float64))
    if count:
        numbers = graph.part(features, 0, count, 1)
        missing = graph.do("IsNaN", numbers)
        scaled = graph.do("Sub", numbers, graph.constant(means))
        scaled = graph.do("Div", scaled, graph.constant(deviations))
        scaled = graph.do("Where", missing, graph.constant(np.float64(0)), scaled)
        flags = graph.cast(missing, np.float64)
        for block, start in ((scaled, 0), (flags, count)):
            scores = graph.do("Add", scores, graph.do("MatMul", block, graph.constant(seen[start : start + count])))
    start = 2 * count
    for place, codes in enumerate(columns.named.values(), count):
        weighed = graph.constant(seen[start : start + len(codes) + 2])
        start += len(codes) + 2
        scores = graph.do("Add", scores, graph.do("Gather", weighed, code_at(graph, features, place, len(codes) + 1)))
    answers = graph.linked(scores, layer, np.float64)
    written = graph.done(answers, len(layer.intercepts), "rows", np.float64)
    return Graph(written, "numbers", layer.labels, (*columns.numbers, *columns.named), told_of(columns))


def code_at(graph: Building, features: str, place: int, missing: int) -> str:
    """Codes of the categories in one column of the features, `missing` where there is none, shape (rows,)."""
    code = graph.part(features, place, place + 1, 1)
    code = graph.do("Where", graph.do("IsNaN", code), graph.constant(np.float64(missing)), code)
    return graph.do("Squeeze", graph.cast(code, np.int64), graph.ints(1))
