"""A BERT encoder as a graph, written from the same weights, without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.encoder import Encoder
from seedbed.core.graph import EXACT

from .building import Building

Floats = NDArray[np.float32]


class Bert(Building):
    """BERT's forward pass, as `seedbed.core.encoder.bert` computes it, for texts of any lengths together."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, encoder.heads
        self.size = encoder.width // encoder.heads

    def embeddings(self, ids: str, present: str) -> str:
        """Embeddings, shape (rows, width), each of length 1.

        Args:
            ids: Tokens, shape (rows, tokens).
            present: Which of them are none of the padding, of the same shape.
        """
        self.called = "network_"
        mask = self.cast(present, np.float32)
        one = self.ints(1)
        length = self.do("Slice", self.do("Shape", ids), one, self.ints(2))
        places = self.do("Slice", self.constant(self.encoder.places), self.ints(0), length, self.ints(0))
        states = self.do("Add", self.do("Gather", self.constant(self.encoder.words), ids), places)
        states = self.normalised(states, self.encoder.norm)
        # Padding gets next to no attention: minus what no score of a network comes near.
        absent = self.do("Sub", mask, self.constant(np.float32(1)))
        low = self.do("Mul", absent, self.constant(np.float32(1e9)))
        low = self.do("Unsqueeze", low, self.ints(1, 2))
        for layer in self.encoder.layers:
            states = self.layer(states, layer, low)
        counted = self.do("Unsqueeze", mask, self.ints(2))
        total = self.do("ReduceSum", self.do("Mul", states, counted), one, keepdims=0)
        means = self.do("Div", total, self.do("ReduceSum", counted, one, keepdims=0))
        norms = self.do("ReduceL2", means, axes=[1], keepdims=1)
        self.called = EXACT
        return self.do("Div", means, norms)

    def layer(self, states: str, layer: Any, low: str) -> str:
        """Attention and two dense layers, each added to what came in."""
        three = self.dense(states, *layer.attention)
        width = self.encoder.width
        parts = [self.part(three, start, start + width, 2) for start in (0, width, 2 * width)]
        apart = self.ints(0, 0, self.heads, self.size)
        split = [self.do("Reshape", part, apart) for part in parts]
        asked, values = (self.do("Transpose", one, perm=[0, 2, 1, 3]) for one in (split[0], split[2]))
        keys = self.do("Transpose", split[1], perm=[0, 2, 3, 1])
        scores = self.do("Add", self.do("MatMul", asked, keys), low)
        seen = self.do("MatMul", self.do("Softmax", scores, axis=-1), values)
        seen = self.do("Reshape", self.do("Transpose", seen, perm=[0, 2, 1, 3]), self.ints(0, 0, width))
        states = self.normalised(self.do("Add", self.dense(seen, *layer.mixed), states), layer.mixed_norm)
        wide = self.gelu(self.dense(states, *layer.wide))
        return self.normalised(self.do("Add", self.dense(wide, *layer.narrow), states), layer.norm)

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
