"""Graphs of plain arithmetic, written node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.graph import ANSWERS, OPSET

from .networks import check_onnx

#: What formats of that time are called: ONNX Runtime 1.15 and newer read them.
_IR = 8
#: Below the least positive normal float: what is divided by it was 0.
_TINY = np.float32(1e-30)


@dataclass
class Building:
    """A graph while it grows."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    domains: dict[str, int] = field(default_factory=lambda: {"": OPSET})

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

    def do(self, operator: str, *given: str, domain: str = "", **options: Any) -> str:
        """Apply an operator; what it gives."""
        from onnx import helper

        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(given), [name], domain=domain, **options))
        return name

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

    def linked(self, scores: str, link: str, temperature: float = 1.0, kind: type[Any] = np.float32) -> str:
        """Scores as answers, as `LINKS` of the linear models has it; `scores` has shape (rows, outputs)."""
        if link == "softmax":
            if temperature != 1:
                scores = self.do("Div", scores, self.constant(np.array(temperature, dtype=kind)))
            return self.do("Softmax", scores, axis=1)
        if link == "logistic":
            return self.do("Sigmoid", scores)
        if link == "exponential":
            ends = (self.constant(np.array(end, dtype=kind)) for end in _ENDS[kind])
            return self.do("Exp", self.do("Clip", scores, *ends))
        return scores

    def unit(self, values: str) -> str:
        """A vector, shape (n,), at length 1; one without length stays."""
        length = self.do("Sqrt", self.do("ReduceSum", self.do("Mul", values, values), keepdims=0))
        return self.do("Div", values, self.do("Max", length, self.constant(_TINY)))


#: Logarithms whose exponentials a float still holds.
_ENDS: Mapping[Any, tuple[float, float]] = {np.float32: (-87.0, 88.0), np.float64: (-700.0, 700.0)}
