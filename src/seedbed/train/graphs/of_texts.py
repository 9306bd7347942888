"""A linear layer on terms, on a BERT encoder's embeddings, or on both, as one graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seedbed.core.encoder import Encoder
from seedbed.core.encoder.bert import TOKENIZER
from seedbed.core.graph import Graph
from seedbed.train.terms import Terms

from .building import Building, LinearLayer
from .of_embeddings import Bert
from .of_terms import told_of, vocabulary_of, weigh_terms
from .tokenizers import as_it_reads


def terms_graph(layer: LinearLayer, text: str, terms: Sequence[Terms]) -> Graph:
    """One text's terms and counts to its answer.

    Args:
        layer: On the terms.
        text: The column that is read.
        terms: Kinds of terms, in the order of the weights.
    """
    graph = Building()
    scores = _on_terms(graph, layer, terms)
    written = graph.done(graph.linked(scores, layer), len(layer.intercepts), 1)
    return Graph(written, "terms", layer.labels, (text,), told_of(terms), vocabulary_of(terms))


def embeddings_graph(layer: LinearLayer, text: str, encoder: Encoder, max_tokens: int) -> Graph:
    """Tokens of any number of texts to embeddings, and a layer on these.

    Args:
        layer: On the embeddings.
        text: The column that is read.
        encoder: Of the BERT kind.
        max_tokens: Tokens after which a text is cut.
    """
    graph = Bert(encoder)
    ids = graph.reads("input_ids", np.int64, ["rows", "tokens"])
    embeddings = graph.embeddings(ids, graph.reads("attention_mask", np.int64, ["rows", "tokens"]))
    scores = graph.dense(embeddings, layer.weights, layer.start())
    written = graph.done(graph.linked(scores, layer), len(layer.intercepts), "rows")
    most, files = _tokenizer(encoder, max_tokens)
    return Graph(written, "tokens", layer.labels, (text,), {"max_tokens": most}, files, network=True)


def both_graph(layer: LinearLayer, text: str, terms: Sequence[Terms], encoder: Encoder, max_tokens: int) -> Graph:
    """One text's terms and tokens to its answer.

    Args:
        layer: On the terms, and after them on the embeddings.
        text: The column that is read.
        terms: Kinds of terms, in the order of the weights.
        encoder: Of the BERT kind.
        max_tokens: Tokens after which a text is cut.
    """
    graph = Bert(encoder)
    scores = _on_terms(graph, layer, terms)
    ids = graph.reads("input_ids", np.int64, [1, "tokens"])
    rest = graph.constant(layer.weights[sum(len(one.vocabulary) for one in terms) :])
    scores = graph.do("Add", scores, graph.do("MatMul", graph.embeddings(ids, graph.ones_like(ids)), rest))
    written = graph.done(graph.linked(scores, layer), len(layer.intercepts), 1)
    most, files = _tokenizer(encoder, max_tokens)
    told: dict[str, Any] = told_of(terms) | {"tokens": {ids: {"file": TOKENIZER, "max_tokens": most}}}
    return Graph(written, "texts", layer.labels, (text,), told, files | vocabulary_of(terms), network=True)


def _on_terms(graph: Building, layer: LinearLayer, terms: Sequence[Terms]) -> str:
    scores, start = graph.constant(layer.start()), 0
    for one in terms:
        end = start + len(one.vocabulary)
        scores, start = graph.do("Add", scores, weigh_terms(graph, one, layer.weights[start:end])), end
    return scores


def _tokenizer(encoder: Encoder, max_tokens: int) -> tuple[int, dict[str, bytes]]:
    most = min(max_tokens, encoder.longest)
    return most, {TOKENIZER: as_it_reads((encoder.folder / TOKENIZER).read_text("utf-8"), most)}
