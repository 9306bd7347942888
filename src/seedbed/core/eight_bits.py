"""Graphs with weights of 8 bits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .graph import EXACT


def in_8_bits(graph: bytes) -> bytes:
    """A graph whose matrices are whole numbers from -64 to 63, each column with a scale of its own.

    What they are multiplied with is rounded to 8 bits while it runs (dynamic quantisation, Jacob et al. 2018,
    *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*). Weights keep 7
    bits: with 8, processors without VNNI overflow and answer otherwise than those with it. Nodes of no network (weights
    of terms, trees) stay as they are.

    Args:
        graph: A serialised `ModelProto`.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    exact = [node.name for node in onnx.load_model_from_string(graph).graph.node if EXACT in node.name]
    with TemporaryDirectory(prefix="seedbed-") as folder, _silence():
        whole, small = Path(folder) / "model.onnx", Path(folder) / "small.onnx"
        whole.write_bytes(graph)
        quantize_dynamic(
            whole, small, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8, nodes_to_exclude=exact
        )
        return small.read_bytes()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's advice off the screen."""
    log = logging.getLogger()
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
