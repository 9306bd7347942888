"""A linear layer on the columns of a table as a graph: rows as numbers go in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.graph import Graph
from seedbed.train.columns import ColumnFeatures

from .building import Building

#: How whoever feeds the graph makes numbers of a row, in words: the runtimes that are exported do it so.
RULE = (
    "first each of `numbers`, as it is (a date as microseconds since 1970; what is no number as missing); then the "
    "code of each of `categories`, or, of a value that is not named there, how many are named; missing is NaN"
)


def told_of(columns: ColumnFeatures) -> dict[str, Any]:
    """What must be known of columns to feed a graph."""
    return {"numbers": list(columns.numbers), "categories": columns.named, "rule": RULE}


def columns_graph(
    columns: ColumnFeatures,
    scale: tuple[NDArray[np.float64], NDArray[np.float64]],
    weights: NDArray[np.float32],
    intercepts: NDArray[np.float64],
    *,
    link: str,
    labels: tuple[str, ...],
    temperature: float = 1.0,
) -> Graph:
    """Rows as numbers, shape (rows, features), to answers; computed in float64, as in training.

    Args:
        columns: What is read.
        scale: Means and standard deviations of the numbers, shape (numbers,).
        weights: Shape (width, outputs).
        intercepts: Shape (outputs,); minus infinity where a label has no probability.
        link: What makes answers of scores.
        labels: Of the outputs.
        temperature: Of calibrated probabilities.
    """
    graph, (means, deviations) = Building(), scale
    count = len(columns.numbers)
    features = graph.reads("features", np.float64, ["rows", columns.width])
    seen = weights.astype(np.float64)
    scores = graph.constant(np.maximum(intercepts, -1e300)[None, :])
    if count:
        numbers = graph.do("Slice", features, *_ends(graph, 0, count))
        missing = graph.do("IsNaN", numbers)
        scaled = graph.do("Sub", numbers, graph.constant(means))
        scaled = graph.do("Div", scaled, graph.constant(deviations))
        scaled = graph.do("Where", missing, graph.constant(np.float64(0)), scaled)
        flags = graph.do("Cast", missing, to=11)
        for block, start in ((scaled, 0), (flags, count)):
            scores = graph.do("Add", scores, graph.do("MatMul", block, graph.constant(seen[start : start + count])))
    start = 2 * count
    for place, codes in enumerate(columns.named.values(), count):
        code = graph.do("Slice", features, *_ends(graph, place, place + 1))
        code = graph.do("Where", graph.do("IsNaN", code), graph.constant(np.float64(len(codes) + 1)), code)
        code = graph.do("Squeeze", graph.do("Cast", code, to=7), graph.constant(np.array([1], dtype=np.int64)))
        weighed = graph.constant(seen[start : start + len(codes) + 2])
        start += len(codes) + 2
        scores = graph.do("Add", scores, graph.do("Gather", weighed, code))
    answers = graph.linked(scores, link, temperature, np.float64)
    reads = (*columns.numbers, *columns.named)
    return Graph(graph.done(answers, len(intercepts), "rows", np.float64), "numbers", labels, reads, told_of(columns))


def _ends(graph: Building, start: int, end: int) -> tuple[str, ...]:
    return tuple(graph.constant(np.array([value], dtype=np.int64)) for value in (start, end, 1))
