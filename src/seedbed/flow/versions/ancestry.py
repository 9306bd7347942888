"""The lineage of runs: read off the index, where a file that one run wrote and another read links the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from seedbed.core import numbers
from seedbed.core.lineage import Edge, Lineage, Node
from seedbed.flow.naming import find_entry
from seedbed.store.runs import Entry, Index, InputFile, standing_of

#: Files of a source that are drawn one by one; more of them are one node.
_APART = 6


def lineage(store: Path, run: str | None = None) -> Lineage:
    """Which run made which dataset and models from which sources, oldest first.

    Args:
        store: Whose index is read.
        run: Only what this run came from and what came of it; all runs when left out.

    Raises:
        RecipeError: The index knows no such run.
        DataError: The entry of that run is damaged; others that are say nothing.
    """
    entries = list(reversed(Index(store).readable()[0]))
    whole = _graph(entries)
    if run is None:
        return whole
    return _around(whole, f"run {find_entry(run, store).id}")


def _graph(entries: Iterable[Entry]) -> Lineage:
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    made: dict[str, str] = {}
    """Datasets that hold a file of a digest."""
    for entry in entries:
        own = f"run {entry.id}"
        for start in _inputs(entry, made):
            nodes.setdefault(start.key, start)
            edges[Edge(start=start.key, end=own)] = None
        nodes[own] = _run(entry)
        for end in _outputs(entry):
            if end.key not in nodes:
                nodes[end.key] = end
            # What a run came from and made once more has its edge already: the graph must not run in circles.
            if not _leads(edges, end.key, own):
                edges[Edge(start=own, end=end.key)] = None
        if entry.dataset:
            for file in entry.files:
                if file.name.startswith("data/"):
                    made.setdefault(file.sha256, f"dataset {entry.dataset}")
    return Lineage(nodes=_in_order(nodes, edges), edges=tuple(edges))


def _leads(edges: Iterable[Edge], start: str, end: str) -> bool:
    """Whether there is a way from one node to another."""
    ends: dict[str, list[str]] = {}
    for edge in edges:
        ends.setdefault(edge.start, []).append(edge.end)
    seen, todo = {start}, [start]
    while todo:
        todo = [one for key in todo for one in ends.get(key, []) if one not in seen]
        seen |= set(todo)
    return end in seen


def _in_order(nodes: dict[str, Node], edges: Iterable[Edge]) -> tuple[Node, ...]:
    """Each node after all that it was made from, otherwise as they came."""
    waits: dict[str, set[str]] = {key: set() for key in nodes}
    for edge in edges:
        waits[edge.end].add(edge.start)
    found: dict[str, Node] = {}
    left = dict(nodes)
    while left:
        ready = [key for key in left if waits[key] <= found.keys()] or list(left)
        for key in ready:
            found[key] = left.pop(key)
    return tuple(found.values())


def _run(entry: Entry) -> Node:
    standing = standing_of(entry)
    looked = "" if entry.limit is None else f"limit {entry.limit}"
    state = ", ".join(one for one in (entry.state, looked, "" if standing.there else standing.kind) if one)
    return Node(key=f"run {entry.id}", kind="run", title=entry.name, detail=entry.id, state=state, tags=entry.tags)


def _inputs(entry: Entry, made: dict[str, str]) -> Iterator[Node]:
    """What a run read: datasets of earlier runs, and files."""
    datasets = dict.fromkeys(made[file.sha256] for file in entry.inputs if file.sha256 in made)
    for key in datasets:
        digest = key.removeprefix("dataset ")
        yield Node(key=key, kind="dataset", title=digest[:12], detail="")
    others = [file for file in entry.inputs if file.sha256 not in made]
    for source, files in groupby(others, key=lambda file: file.source):
        yield from _files(source, list(files))


def _files(source: str, files: list[InputFile]) -> Iterator[Node]:
    if len(files) <= _APART:
        for file in files:
            detail = f"{numbers.size(file.bytes)}, SHA-256 {file.sha256[:12]}"
            yield Node(key=f"source {file.sha256} {file.file}", kind="source", title=file.file, detail=detail)
        return
    key = " ".join(file.sha256[:8] for file in files)
    total = numbers.size(sum(file.bytes for file in files))
    detail = f"{numbers.things(len(files), 'file')}, {total}"
    yield Node(key=f"source {source} {key}", kind="source", title=source, detail=detail)


def _outputs(entry: Entry) -> Iterator[Node]:
    if entry.dataset:
        rows = numbers.things(sum(entry.splits.values()), "row")
        yield Node(key=f"dataset {entry.dataset}", kind="dataset", title=entry.dataset[:12], detail=rows)
    for model in entry.models:
        best = entry.best if entry.best and entry.best.model == model.name else None
        score = f", best: {numbers.metric(best.metric)} {numbers.scored(best.score)}" if best else ""
        key = f"model {model.digest}"
        yield Node(key=key, kind="model", title=model.name, detail=f"{model.digest[:12]}{score}")


def _around(whole: Lineage, key: str) -> Lineage:
    """What a node came from, and what came of it."""
    kept = {key}
    for step in (whole.before, whole.after):
        todo = [key]
        while todo:
            found = [node.key for one in todo for node in step(one)]
            todo = [one for one in dict.fromkeys(found) if one not in kept]
            kept |= set(todo)
    return Lineage(
        nodes=tuple(node for node in whole.nodes if node.key in kept),
        edges=tuple(edge for edge in whole.edges if edge.start in kept and edge.end in kept),
    )
