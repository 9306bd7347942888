"""Graphs of plain arithmetic, written node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.graph import ANSWERS, EXACT, OPSET

from .networks import check_onnx

#: What formats of that time are called: ONNX Runtime 1.15 and newer read them.
_IR = 8
#: Below the least positive normal float: what is divided by it was 0.
_TINY = np.float64(1e-30)


@dataclass(frozen=True)
class LinearLayer:
    """A linear layer, and what makes answers of its scores."""

    weights: NDArray[np.float32]
    """Shape (features, outputs)."""
    intercepts: NDArray[np.float64]
    """Shape (outputs,); minus infinity where a label has no probability."""
    link: str
    """What makes answers of scores, as `LINKS` of the linear models has it."""
    labels: tuple[str, ...]
    """Of the outputs; none where the answer is a number."""
    temperature: float = 1.0
    """Of calibrated probabilities."""

    def start(self, kind: type[Any] = np.float32) -> NDArray[Any]:
        """Intercepts that a graph can add to, shape (1, outputs): none is minus infinity."""
        lowest = np.finfo(kind).min / 2
        return np.asarray(np.maximum(self.intercepts, lowest).astype(kind)[None, :])


@dataclass
class Building:
    """A graph while it grows."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    domains: dict[str, int] = field(default_factory=lambda: {"": OPSET})
    called: str = EXACT
    """What names of nodes begin with."""

    def __post_init__(self) -> None:
        check_onnx()

    def reads(self, name: str, kind: type[Any], shape: Sequence[str | int]) -> str:
        """An input."""
        from onnx import helper

        element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        self.inputs.append(helper.make_tensor_value_info(name, element, list(shape)))
        return name

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        """An array that never changes."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        """Whole numbers that never change, shape (values,)."""
        return self.constant(np.array(values, dtype=np.int64))

    def do(self, operator: str, *given: str, domain: str = "", **options: Any) -> str:
        """Apply an operator; what it gives."""
        from onnx import helper

        name, node = f"n{len(self.nodes)}", f"{self.called}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(given), [name], name=node, domain=domain, **options))
        return name

    def cast(self, values: str, kind: type[Any]) -> str:
        """Values of another type."""
        from onnx import helper

        return self.do("Cast", values, to=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def part(self, values: str, start: int, end: int, axis: int) -> str:
        """Values from one place to another along an axis."""
        return self.do("Slice", values, self.ints(start), self.ints(end), self.ints(axis))

    def ones_like(self, values: str) -> str:
        """As many whole numbers, each 1: the mask of texts without padding."""
        from onnx import numpy_helper

        one = numpy_helper.from_array(np.ones(1, dtype=np.int64))
        return self.do("ConstantOfShape", self.do("Shape", values), value=one)

    def done(self, answers: str, outputs: int, rows: str | int, kind: type[Any] = np.float32) -> bytes:
        """The graph, serialised.

        Args:
            answers: What the nodes came to, shape (rows, outputs).
            outputs: How many there are.
            rows: Their name, where there may be any number.
            kind: Of the answers.
        """
        from onnx import checker, helper

        self.nodes.append(helper.make_node("Identity", [answers], [ANSWERS]))
        element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        told = helper.make_tensor_value_info(ANSWERS, element, [rows, outputs])
        graph = helper.make_graph(self.nodes, "model", self.inputs, [told], self.constants)
        imports = [helper.make_opsetid(domain, version) for domain, version in self.domains.items()]
        model = helper.make_model(graph, opset_imports=imports, ir_version=_IR, producer_name="seedbed")
        checker.check_model(model)
        return bytes(model.SerializeToString())

    def linked(self, scores: str, layer: LinearLayer, kind: type[Any] = np.float32) -> str:
        """Scores as a layer's answers; `scores` has shape (rows, outputs)."""
        if layer.link == "softmax":
            if layer.temperature != 1:
                scores = self.do("Div", scores, self.constant(np.array(layer.temperature, dtype=kind)))
            return self.do("Softmax", scores, axis=1)
        if layer.link == "logistic":
            return self.do("Sigmoid", scores)
        return self.exponential(scores, kind) if layer.link == "exponential" else scores

    def exponential(self, values: str, kind: type[Any]) -> str:
        """Numbers of which these are the logarithms."""
        ends = (self.constant(np.array(end, dtype=kind)) for end in _ENDS[kind])
        return self.do("Exp", self.do("Clip", values, *ends))

    def heated(self, probabilities: str, temperature: float, kind: type[Any]) -> str:
        """Probabilities to the power 1/temperature, each row adding up to 1, shape (rows, labels)."""
        if temperature == 1:
            return probabilities
        logs = self.do("Log", probabilities)  # minus infinity where there is no probability: none comes of it
        return self.do("Softmax", self.do("Div", logs, self.constant(np.array(temperature, dtype=kind))), axis=1)

    def placed(self, outputs: str, places: Sequence[int], width: int, kind: type[Any]) -> str:
        """Outputs at some places among others that are 0, shape (rows, width)."""
        if list(places) == list(range(width)):
            return outputs
        return self.do("MatMul", outputs, self.constant(np.eye(width, dtype=kind)[list(places)]))

    def unit(self, values: str) -> str:
        """A vector of 32 bits, shape (n,), at length 1, rounded as in training; one without length stays."""
        squares = self.cast(self.do("Mul", values, values), np.float64)
        length = self.do("Max", self.do("Sqrt", self.do("ReduceSum", squares, keepdims=0)), self.constant(_TINY))
        return self.cast(self.do("Div", self.cast(values, np.float64), length), np.float32)


#: Logarithms whose exponentials a float still holds.
_ENDS: Mapping[Any, tuple[float, float]] = {np.float32: (-87.0, 88.0), np.float64: (-700.0, 700.0)}
