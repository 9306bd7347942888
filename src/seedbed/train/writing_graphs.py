"""Writes the graph of a fine-tuned network: `python -m seedbed.train.writing_graphs BUNDLE FOLDER PRECISION`.

A process of its own does it, because a server that imported torch would hold it for as long as it serves. Weights stand
in a file of their own, which ONNX Runtime maps: the processes of a server share its pages (measured: 60 MB instead of
130 MB for 91 MB of weights, as fast).
"""

from __future__ import annotations

import sys
from pathlib import Path

import seedbed.train  # noqa: F401  (fills the catalogue)
from seedbed.core.eight_bits import in_8_bits

from .graphs.networks import logits_graph
from .transformer import TransformerModel

GRAPH, WEIGHTS = "graph.onnx", "weights"


def write_graph(folder: Path, place: Path, precision: str = "fp32") -> None:
    """Write a network's graph, as `logits_graph` makes it.

    Args:
        folder: What `TransformerModel.save` wrote.
        place: The folder that is made.
        precision: Of its weights: `fp32` or `int8`.
    """
    import onnx

    written = logits_graph(TransformerModel.load(folder).network)
    graph = onnx.load_from_string(in_8_bits(written) if precision == "int8" else written)
    place.mkdir()
    onnx.save_model(graph, str(place / GRAPH), save_as_external_data=True, location=WEIGHTS)


if __name__ == "__main__":
    write_graph(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
