"""Graphs side by side, and the mean of what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from seedbed.core.errors import ModelError
from seedbed.core.graph import ANSWERS, Feed, Graph

from .building import Building
from .of_terms import VOCABULARY


def mean_graph(
    members: Sequence[Graph], weights: Sequence[float], labels: tuple[str, ...], temperature: float
) -> Graph:
    """The weighted mean of graphs' answers.

    Args:
        members: The graphs.
        weights: How much each counts.
        labels: Of the answers; a member may know some of them, in another order.
        temperature: Of calibrated probabilities.

    Raises:
        ModelError: Some read texts and others columns.
    """
    tables = {one.feed == "numbers" for one in members}
    if len(tables) > 1:
        raise ModelError("models of texts and models of columns cannot be said as one graph")
    graph, beside, outputs = Building(), _Beside(), max(len(labels), 1)
    total = graph.constant(np.zeros((1, outputs)))
    for place, (member, weight) in enumerate(zip(members, weights, strict=True)):
        before = f"{place}_"
        answers = graph.cast(_taken_in(graph, member, before), np.float64)
        answers = graph.placed(answers, [labels.index(one) for one in member.labels] or [0], outputs, np.float64)
        total = graph.do("Add", total, graph.do("Mul", answers, graph.constant(np.float64(weight))))
        beside.add(member, before)
    answers = graph.heated(total, temperature, np.float64)
    written = graph.done(answers, outputs, "rows" if tables == {True} else 1, np.float64)
    reads = tuple(dict.fromkeys(name for one in members for name in one.reads))
    network = any(one.network for one in members)
    feed: Feed = "numbers" if tables == {True} else "texts" if "tokens" in beside.told else "terms"
    told, files = beside.said(feed)
    return Graph(written, feed, labels, reads, told, files, network)


def _taken_in(graph: Building, member: Graph, before: str) -> str:
    """Take a graph into another, its names with something before them; what its answers are called there."""
    import onnx
    from onnx import compose, helper

    model = compose.add_prefix(onnx.load_model_from_string(member.onnx), before)
    for value in model.graph.input:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:
                size.dim_param = before + size.dim_param
    inputs = list(model.graph.input)
    if member.feed == "tokens":  # one text at a time has no padding, so that nobody needs to say so
        ids, mask = (f"{before}{name}" for name in ("input_ids", "attention_mask"))
        inputs = [value for value in inputs if value.name != mask]
        graph.nodes.append(helper.make_node("Identity", [graph.ones_like(ids)], [mask]))
    graph.inputs += inputs
    graph.nodes += model.graph.node
    graph.constants += model.graph.initializer
    graph.domains |= {one.domain: one.version for one in model.opset_import}
    return before + ANSWERS


@dataclass
class _Beside:
    """What must be known to feed members, under names of their own."""

    told: dict[str, Any] = field(default_factory=dict)
    vocabularies: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, member: Graph, before: str) -> None:
        """One more."""
        told = dict(member.told)
        if member.feed == "tokens":
            told = {"tokens": {"input_ids": {"file": "tokenizer.json", **told}}}
        for kind in ("terms", "tokens", "features"):
            for name, one in told.get(kind, {}).items():
                file = {"file": self._kept(member.files[one["file"]], before)} if kind == "tokens" else {}
                self.told.setdefault(kind, {})[before + name] = {**one, **file}
        self.told["rules"] = self.told.get("rules", {}) | told.get("rules", {})
        known = orjson.loads(member.files.get(VOCABULARY, b"{}"))
        self.vocabularies |= {before + name: terms for name, terms in known.items()}

    def _kept(self, tokenizer: bytes, before: str) -> str:
        """The file of a tokenizer: one that another member has is not kept twice."""
        there = next((name for name, held in self.files.items() if held == tokenizer), None)
        name = there or f"{before}tokenizer.json"
        self.files[name] = tokenizer
        return name

    def said(self, feed: Feed) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What is told, and the files."""
        if feed == "numbers":
            return self.told, self.files
        return {"terms": {}} | self.told, self.files | {VOCABULARY: orjson.dumps(self.vocabularies)}
