"""A network of torch as a graph: traced once, with the answers, not the bare outputs, at its end."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from seedbed.core.errors import MissingExtraError, ModelError
from seedbed.core.graph import ANSWERS, OPSET
from seedbed.train.pretrained import quiet

_READ = ("input_ids", "attention_mask")


def logits_graph(network: Any) -> bytes:
    """A fine-tuned network as it is: `input_ids`, `attention_mask` (int64, (rows, tokens)) to `logits` (rows, outputs).

    Raises:
        ModelError: It cannot be traced.
        MissingExtraError: What makes graphs is not installed.
    """
    return traced(network, lambda told, _: told.logits, name="logits")


def traced(network: Any, answer: Callable[[Any, Any], Any], *, name: str = ANSWERS) -> bytes:
    """A network, followed by what makes answers of its outputs, as a serialised graph.

    Args:
        network: Of transformers, on any device; read in float32, without dropout.
        answer: Makes a tensor, shape (rows, outputs), of the network's outputs and the attention mask.
        name: What the graph calls that.

    Raises:
        ModelError: It cannot be traced.
        MissingExtraError: What makes graphs is not installed.
    """
    check_onnx()
    import torch

    class Answering(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            told = self.network(input_ids=input_ids, attention_mask=attention_mask)
            return answer(told, attention_mask)

    whole = Answering().eval()  # else dropout would go along
    ids = torch.tensor([[1, 2, 3, 4, 5], [3, 2, 1, 0, 0]], device=network.device)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], device=network.device)
    axes = {one: {0: "rows", 1: "tokens"} for one in _READ} | {name: {0: "rows"}}
    written = io.BytesIO()
    with _plain_attention(network), _silence(), torch.inference_mode():
        try:
            torch.onnx.export(
                whole,
                (ids, mask),
                written,
                input_names=list(_READ),
                output_names=[name],
                dynamic_axes=axes,
                opset_version=OPSET,
                dynamo=False,  # the other exporter needs onnxscript, and took 20 times as long
            )
        except (RuntimeError, ValueError, TypeError) as error:
            said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ModelError(f"this network cannot be said as a graph: {said[:200]}") from None
    return written.getvalue()


def check_onnx() -> None:
    """Fail with the command to type where the package `onnx` is not installed.

    Raises:
        MissingExtraError: It is not.
    """
    import importlib.util

    if importlib.util.find_spec("onnx") is None:
        raise MissingExtraError(
            "a graph needs the package 'onnx', which is not installed", hint="pip install 'seedbed[onnx]'"
        )


@contextmanager
def _plain_attention(network: Any) -> Iterator[None]:
    """Attention in plain multiplications: what is fused cannot be traced with any number of tokens."""
    config = network.config
    before = config._attn_implementation
    config._attn_implementation = "eager"
    try:
        yield
    finally:
        config._attn_implementation = before


@contextmanager
def _silence() -> Iterator[None]:
    """Keep torch's own words on exporting off the screen."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with quiet():
            yield
    finally:
        log.setLevel(level)
