"""A linear layer on terms as a graph: what is counted of a text goes in, answers come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from seedbed.core.graph import Graph
from seedbed.train.terms import Terms

from .building import Building

#: How whoever feeds the graph cuts a text, in words: the runtimes that are exported do it so.
RULE = {
    "words": r"in lower case, every run of two or more letters, digits or _ (Python's \w) is a word; terms are runs of "
    "`shortest` to `longest` words, joined by one space",
    "characters": "in lower case, split at white space; each piece gets a space before and after; terms are its runs "
    "of `shortest` to `longest` characters, and the whole piece, once, where it is not longer",
}


def terms_graph(
    terms: Sequence[Terms],
    weights: NDArray[np.float32],
    intercepts: NDArray[np.float64],
    *,
    link: str,
    labels: tuple[str, ...],
    text: str,
    temperature: float = 1.0,
) -> Graph:
    """One text's terms and counts to its answer.

    Args:
        terms: Kinds of terms, in the order of the weights.
        weights: Shape (terms, outputs).
        intercepts: Shape (outputs,); minus infinity where a label has no probability.
        link: What makes answers of scores.
        labels: Of the outputs.
        text: The column that is read.
        temperature: Of calibrated probabilities.
    """
    graph = Building()
    scores = graph.constant(np.maximum(intercepts, -3e38).astype(np.float32)[None, :])
    start = 0
    for one in terms:
        places = graph.reads(one.kind, np.int64, [f"{one.kind} terms"])
        counts = graph.reads(f"{one.kind}_counts", np.float32, [f"{one.kind} terms"])
        here = weights[start : start + len(one.vocabulary)]
        start += len(one.vocabulary)
        values = counts
        if one.weighting == "tfidf":
            often = graph.do("Add", graph.do("Log", counts), graph.constant(np.ones(1, dtype=np.float32)))
            rare = graph.do("Gather", graph.constant(one.idf.astype(np.float32)), places)
            values = graph.unit(graph.do("Mul", often, rare))
        chosen = graph.do("Gather", graph.constant(here), places)
        row = graph.do("Unsqueeze", values, graph.constant(np.array([0], dtype=np.int64)))
        scores = graph.do("Add", scores, graph.do("MatMul", row, chosen))
    told: dict[str, Any] = {
        "terms": [
            {"kind": one.kind, "shortest": one.lengths[0], "longest": one.lengths[1], "rule": RULE[one.kind]}
            for one in terms
        ]
    }
    return Graph(
        graph.done(graph.linked(scores, link, temperature), len(intercepts), 1),
        "terms",
        labels,
        (text,),
        told,
        {"vocabulary.json": orjson.dumps({one.kind: one.vocabulary for one in terms})},
    )
