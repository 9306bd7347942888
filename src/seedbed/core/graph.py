"""A model as a graph of ONNX (https://onnx.ai), which runtimes answer with that know nothing of Seedbed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from .errors import ModelError

#: What a graph is fed with.
Feed = Literal["tokens", "terms", "texts", "numbers"]
#: The operators that graphs are made of: versions that ONNX Runtime 1.15, its build for browsers and newer ones know.
OPSET = 17
#: The same of decision trees, whose operators stand in a domain of their own.
TREES, TREES_OPSET = "ai.onnx.ml", 3
#: Name of a graph's only output, shape (rows, outputs).
ANSWERS = "answers"
#: Names of nodes that keep their 32 bits begin so.
EXACT = "exact_"


@dataclass(frozen=True)
class Graph:
    """A model as a graph, and what somebody must know who feeds it.

    Its only output, `answers`, is what `Model.predict` gives: probabilities of `labels`, calibrated where the model is,
    shape (rows, labels); or a number, shape (rows, 1). Its inputs hang on `feed`:

    ```
    tokens    input_ids, attention_mask (int64)          shape (rows, tokens), as tokenizer.json makes them
    terms     of each NAME of `told["terms"]`: NAME      shape (terms,), each term once: one text at a time
              (int64), places in the vocabulary, and
              NAME_counts (float32), how often each
              occurs in the text
    texts     those of terms, and each NAME (int64) of   shape (1, tokens), as its tokenizer makes them
              `told["tokens"]`
    numbers   each NAME (float64) of                     shape (rows, features)
              `told["features"]`
    ```
    """

    onnx: bytes
    """A serialised `ModelProto`."""
    feed: Feed
    labels: tuple[str, ...]
    """Of the outputs, in order; none where the answer is a number."""
    reads: tuple[str, ...]
    """The columns that the model reads, after the steps of its bundle."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What else must be known to feed it, as JSON: how terms are cut, which number a category is."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that feeding needs, by name: `tokenizer.json`, `vocabulary.json`."""
    network: bool = False
    """Whether a network is in it, whose weights can do with 8 bits; nodes called `EXACT…` cannot."""


@runtime_checkable
class AsGraph(Protocol):
    """A model that can be said as a graph."""

    def graph(self, temperature: float = 1.0) -> Graph:
        """The graph.

        Args:
            temperature: What probabilities of labels that exclude one another are put right by (their power 1/T).

        Raises:
            ModelError: This one cannot be said as one.
            MissingExtraError: What makes graphs is not installed.
        """


def graph_of(model: object, called: str, temperature: float = 1.0) -> Graph:
    """The graph of a model, or of one inside another.

    Args:
        model: The model.
        called: What it is called, for messages.
        temperature: As `AsGraph.graph` has it.

    Raises:
        ModelError: It has none.
        MissingExtraError: What makes graphs is not installed.
    """
    if not isinstance(model, AsGraph):
        raise ModelError(f"{called} cannot be said as a graph")
    return model.graph(temperature)
