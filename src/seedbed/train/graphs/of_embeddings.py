"""A BERT encoder with a linear layer on its embeddings as one graph, written from the same weights, without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.encoder import Encoder
from seedbed.core.encoder.bert import TOKENIZER
from seedbed.core.graph import Graph

from .building import Building
from .tokenizers import as_it_reads

Floats = NDArray[np.float32]


def embedding_graph(
    encoder: Encoder,
    max_tokens: int,
    weights: NDArray[np.float32],
    intercepts: NDArray[np.float64],
    *,
    link: str,
    labels: tuple[str, ...],
    text: str,
    temperature: float = 1.0,
) -> Graph:
    """Tokens to embeddings, and a linear layer on these.

    Args:
        encoder: Of the BERT kind.
        max_tokens: Tokens after which a text is cut.
        weights: Shape (width, outputs).
        intercepts: Shape (outputs,); minus infinity where a label has no probability.
        link: What makes answers of scores.
        labels: Of the outputs.
        text: The column that is read.
        temperature: Of calibrated probabilities.
    """
    graph = _Bert(encoder)
    embeddings = graph.embeddings()
    scores = graph.dense(embeddings, weights, np.maximum(intercepts, -3e38).astype(np.float32))
    answers = graph.linked(scores, link, temperature)
    most = min(max_tokens, encoder.longest)
    tokenizer = (encoder.folder / TOKENIZER).read_text("utf-8")
    return Graph(
        graph.done(answers, len(intercepts), "rows"),
        "tokens",
        labels,
        (text,),
        {"max_tokens": most},
        {"tokenizer.json": as_it_reads(tokenizer, most)},
    )


class _Bert(Building):
    """BERT's forward pass, as `seedbed.core.encoder.bert` computes it, for texts of any lengths together."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, encoder.heads
        self.size = encoder.width // encoder.heads

    def embeddings(self) -> str:
        """Embeddings, shape (rows, width), each of length 1."""
        ids = self.reads("input_ids", np.int64, ["rows", "tokens"])
        mask = self.do("Cast", self.reads("attention_mask", np.int64, ["rows", "tokens"]), to=1)
        nought, one = (self.constant(np.array([value], dtype=np.int64)) for value in (0, 1))
        length = self.do("Slice", self.do("Shape", ids), one, self.constant(np.array([2], dtype=np.int64)))
        places = self.do("Slice", self.constant(self.encoder.places), nought, length, nought)
        states = self.do("Add", self.do("Gather", self.constant(self.encoder.words), ids), places)
        states = self.normalised(states, self.encoder.norm)
        # Padding gets next to no attention: minus what no score of a network comes near.
        absent = self.do("Sub", mask, self.constant(np.float32(1)))
        low = self.do("Mul", absent, self.constant(np.float32(1e9)))
        low = self.do("Unsqueeze", low, self.constant(np.array([1, 2], dtype=np.int64)))
        for layer in self.encoder.layers:
            states = self.layer(states, layer, low)
        counted = self.do("Unsqueeze", mask, self.constant(np.array([2], dtype=np.int64)))
        total = self.do("ReduceSum", self.do("Mul", states, counted), one, keepdims=0)
        means = self.do("Div", total, self.do("ReduceSum", counted, one, keepdims=0))
        norms = self.do("ReduceL2", means, axes=[1], keepdims=1)
        return self.do("Div", means, norms)

    def layer(self, states: str, layer: Any, low: str) -> str:
        """Attention and two dense layers, each added to what came in."""
        three = self.dense(states, *layer.attention)
        width = self.encoder.width
        parts = [self.nodes_of(three, start, start + width) for start in (0, width, 2 * width)]
        apart = self.constant(np.array([0, 0, self.heads, self.size], dtype=np.int64))
        split = [self.do("Reshape", part, apart) for part in parts]
        asked, values = (self.do("Transpose", one, perm=[0, 2, 1, 3]) for one in (split[0], split[2]))
        keys = self.do("Transpose", split[1], perm=[0, 2, 3, 1])
        scores = self.do("Add", self.do("MatMul", asked, keys), low)
        seen = self.do("MatMul", self.do("Softmax", scores, axis=-1), values)
        together = self.constant(np.array([0, 0, width], dtype=np.int64))
        seen = self.do("Reshape", self.do("Transpose", seen, perm=[0, 2, 1, 3]), together)
        states = self.normalised(self.do("Add", self.dense(seen, *layer.mixed), states), layer.mixed_norm)
        wide = self.gelu(self.dense(states, *layer.wide))
        return self.normalised(self.do("Add", self.dense(wide, *layer.narrow), states), layer.norm)

    def nodes_of(self, states: str, start: int, end: int) -> str:
        """Some of the numbers of each token."""
        ends = (self.constant(np.array([value], dtype=np.int64)) for value in (start, end, 2))
        return self.do("Slice", states, *ends)

    def dense(self, states: str, weights: Floats, offsets: Floats) -> str:
        """Weights and offsets."""
        return self.do("Add", self.do("MatMul", states, self.constant(weights)), self.constant(offsets))

    def normalised(self, states: str, norm: tuple[Floats, Floats]) -> str:
        """Layer normalisation."""
        scale, offset = (self.constant(one) for one in norm)
        return self.do("LayerNormalization", states, scale, offset, axis=-1, epsilon=float(self.encoder.epsilon))

    def gelu(self, states: str) -> str:
        """x Φ(x)."""
        half, root = self.constant(np.float32(0.5)), self.constant(np.float32(np.sqrt(0.5)))
        one = self.constant(np.float32(1))
        share = self.do("Add", self.do("Erf", self.do("Mul", states, root)), one)
        return self.do("Mul", self.do("Mul", states, half), share)
