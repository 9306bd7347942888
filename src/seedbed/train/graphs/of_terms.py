"""Terms of a text on their way into a graph: what is counted of a text goes in, numbers come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from seedbed.train.terms import Terms

from .building import Building

VOCABULARY = "vocabulary.json"
#: How whoever feeds the graph cuts a text, in words: the runtimes that are exported do it so.
RULES = {
    "words": r"in lower case, every run of two or more letters, digits or _ (Python's \w) is a word; terms are runs of "
    "`shortest` to `longest` words, joined by one space",
    "characters": "in lower case, split at white space; each piece gets a space before and after; terms are its runs "
    "of `shortest` to `longest` characters, and the whole piece, once, where it is not longer",
}


def told_of(terms: Sequence[Terms]) -> dict[str, Any]:
    """What must be known of terms to feed a graph."""
    return {
        "terms": {one.kind: {"kind": one.kind, "shortest": one.lengths[0], "longest": one.lengths[1]} for one in terms},
        "rules": {one.kind: RULES[one.kind] for one in terms},
    }


def vocabulary_of(terms: Sequence[Terms]) -> dict[str, bytes]:
    """The file that says which place each term has."""
    told = {one.kind: {term: place for place, term in enumerate(one.vocabulary)} for one in terms}
    return {VOCABULARY: orjson.dumps(told)}


def read_terms(graph: Building, terms: Terms) -> tuple[str, str]:
    """Inputs for one kind of terms.

    Returns:
        Places of a text's terms, and what each weighs, both of shape (terms,), as `Terms.transform` has them.
    """
    places = graph.reads(terms.kind, np.int64, [f"{terms.kind} terms"])
    counts = graph.reads(f"{terms.kind}_counts", np.float32, [f"{terms.kind} terms"])
    if terms.weighting != "tfidf":
        return places, counts
    often = graph.do("Add", graph.do("Log", counts), graph.constant(np.ones(1, dtype=np.float32)))
    rare = graph.do("Gather", graph.constant(terms.idf.astype(np.float32)), places)
    return places, graph.unit(graph.do("Mul", often, rare))


def weigh_terms(graph: Building, terms: Terms, weights: NDArray[np.float32]) -> str:
    """A text's terms times weights, shape (terms, outputs): shape (1, outputs)."""
    places, values = read_terms(graph, terms)
    chosen = graph.do("Gather", graph.constant(weights), places)
    return graph.do("MatMul", graph.do("Unsqueeze", values, graph.ints(0)), chosen)


def spread_terms(graph: Building, terms: Terms) -> str:
    """A text's terms as a row of its own, nought where one does not occur: shape (1, terms of the vocabulary)."""
    places, values = read_terms(graph, terms)
    empty = graph.constant(np.zeros(len(terms.vocabulary), dtype=np.float32))
    row = graph.do("ScatterElements", empty, places, values, axis=0)
    return graph.do("Unsqueeze", row, graph.ints(0))
