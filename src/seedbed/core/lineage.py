"""Which run made which dataset from which sources: a graph that only goes forward in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Node(BaseModel):
    """A source's file, a run, a dataset, or a model."""

    model_config = ConfigDict(frozen=True)

    key: str
    kind: Literal["source", "run", "dataset", "model"]
    title: str
    detail: str = ""
    state: str = Field("", description="Of a run: passed or failed, and gone where its folder is.")
    tags: tuple[str, ...] = ()


class Edge(BaseModel):
    """From what something was made, to what was made of it."""

    model_config = ConfigDict(frozen=True)

    start: str
    end: str


class Lineage(BaseModel):
    """Nodes and edges; a node stands after everything that it was made from."""

    model_config = ConfigDict(frozen=True)

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __getitem__(self, key: str) -> Node:
        return next(node for node in self.nodes if node.key == key)

    def after(self, key: str) -> Iterator[Node]:
        """What was made of a node, in order."""
        ends = {edge.end for edge in self.edges if edge.start == key}
        return (node for node in self.nodes if node.key in ends)

    def before(self, key: str) -> Iterator[Node]:
        """What a node was made from, in order."""
        starts = {edge.start for edge in self.edges if edge.end == key}
        return (node for node in self.nodes if node.key in starts)

    def layers(self) -> list[list[Node]]:
        """Nodes by their longest way from a beginning."""
        depth: dict[str, int] = {}
        starts: dict[str, list[str]] = {}
        for edge in self.edges:
            starts.setdefault(edge.end, []).append(edge.start)
        for node in self.nodes:
            depth[node.key] = max((depth[start] + 1 for start in starts.get(node.key, [])), default=0)
        found: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for node in self.nodes:
            found[depth[node.key]].append(node)
        return found
