"""The page of a lineage: which run made which dataset and models from which sources, drawn from left to right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seedbed.core.lineage import Lineage, Node
from seedbed.core.numbers import count, short

from .drawing import Drawing
from .facts import MOST
from .figure import Figure, showable
from .page import templates

#: Boxes that are drawn; older runs and what only they touch are left out.
MOST_DRAWN = 200
_WIDTH, _HEIGHT, _GAP, _BETWEEN = 236.0, 46.0, 16.0, 52.0
_KINDS = {"source": "rest", "run": "whole", "dataset": "kept", "model": "made"}
_SWEEPS = 4
#: Steps to the right after which a line of the narrow drawing goes no further.
_DEEPEST = 8


def render(lineage: Lineage, about: str | None = None) -> str:
    """One HTML page that loads nothing and runs nothing; every text is escaped, and cut where it is very long.

    Args:
        lineage: What to draw.
        about: The run that was asked for.

    Returns:
        The page; it encodes as UTF-8.
    """
    drawn = _newest(lineage)
    counted = Counter(str(node.kind) for node in lineage.nodes)
    words = {"run": "run", "dataset": "dataset", "model": "model", "source": "source file"}
    told = [f"{count(counted[kind])} {word}{'' if counted[kind] == 1 else 's'}" for kind, word in words.items()]
    runs = [node for node in reversed(lineage.nodes) if node.kind == "run"]
    page = (
        templates()
        .get_template("lineage.html")
        .render(
            title=f"Lineage of {about}" if about else "Lineage",
            what="lineage",
            sections=[("verdict", "What came of what"), ("runs", "Runs")],
            counts=", ".join(told),
            figure=draw(drawn) if drawn.nodes else None,
            lines=list(_lines(drawn)),
            left_out=len(lineage.nodes) - len(drawn.nodes),
            runs=[(run, list(lineage.before(run.key)), list(lineage.after(run.key))) for run in runs[: MOST + 1]],
            most=MOST,
        )
    )
    return showable(page)


def _newest(lineage: Lineage) -> Lineage:
    """The newest runs with what they read and made, as many as fit."""
    if len(lineage.nodes) <= MOST_DRAWN:
        return lineage
    kept: set[str] = set()
    for run in reversed([node for node in lineage.nodes if node.kind == "run"]):
        more = {run.key, *(node.key for node in (*lineage.before(run.key), *lineage.after(run.key)))}
        if len(kept | more) > MOST_DRAWN:
            break
        kept |= more
    return Lineage(
        nodes=tuple(node for node in lineage.nodes if node.key in kept),
        edges=tuple(edge for edge in lineage.edges if edge.start in kept and edge.end in kept),
    )


def draw(lineage: Lineage) -> Figure:
    """Boxes in columns, each to the right of what it was made from; lines from what was read to what was made."""
    layers = _ordered(lineage)
    height = max(len(layer) for layer in layers) * (_HEIGHT + _GAP) - _GAP
    width = max(2.0, len(layers)) * (_WIDTH + _BETWEEN) - _BETWEEN
    runs = sum(node.kind == "run" for node in lineage.nodes)
    drawing = Drawing("lineage", f"Lineage of {runs} runs, from sources on the left", height + 2, width + 2)
    places = {
        node.key: (column * (_WIDTH + _BETWEEN) + 1, row * (_HEIGHT + _GAP) + 1)
        for column, layer in enumerate(layers)
        for row, node in enumerate(layer)
    }
    for edge in lineage.edges:
        (x1, y1), (x2, y2) = places[edge.start], places[edge.end]
        start, end = (x1 + _WIDTH, y1 + _HEIGHT / 2), (x2, y2 + _HEIGHT / 2)
        turn = x2 - _BETWEEN / 2
        tip = f"{lineage[edge.start].title} → {lineage[edge.end].title}"
        drawing.path([start, (turn, start[1]), (turn, end[1]), end], "chance", tip)
    for node in lineage.nodes:
        _box(drawing, node, *places[node.key])
    return Figure(
        "lineage",
        "From left to right: what was read, the run that read it, what the run made. Resting on a box shows all of it.",
        drawing,
    )


def _lines(lineage: Lineage) -> Iterator[tuple[int, Node, bool]]:
    """The drawing for a narrow screen: each node below what it was made from, how far it is indented, and whether it
    stands above already with all that came of it."""
    seen: set[str] = set()
    todo = [(0, node) for node in reversed(lineage.nodes) if not any(lineage.before(node.key))]
    while todo:
        depth, node = todo.pop()
        after = list(lineage.after(node.key))
        again = node.key in seen
        yield min(depth, _DEEPEST), node, again
        if not again:
            seen.add(node.key)
            todo += [(depth + 1, one) for one in reversed(after)]


def _box(drawing: Drawing, node: Node, x: float, y: float) -> None:
    tip = ", ".join(one for one in (node.title, node.detail, node.state, *node.tags) if one)
    drawing.rect(x, y, _WIDTH, _HEIGHT, "paper", tip)
    drawing.rect(x, y, 6, _HEIGHT, _KINDS[node.kind], tip)
    drawing.rect(x, y, _WIDTH, _HEIGHT, "open", tip)
    tags = f" [{', '.join(node.tags)}]" if node.tags else ""
    drawing.text(x + 14, y + 19, short(node.title + tags, 27), "name")
    drawing.text(x + 14, y + 36, short(f"{node.kind} {node.detail}", 32), "soft")


def _ordered(lineage: Lineage) -> list[list[Node]]:
    """The layers, their boxes near those that they are joined to: by the mean place of these, back and forth
    (Sugiyama, Tagawa & Toda 1981)."""
    layers = lineage.layers()
    beside: dict[str, list[str]] = {}
    for edge in lineage.edges:
        beside.setdefault(edge.start, []).append(edge.end)
        beside.setdefault(edge.end, []).append(edge.start)
    for sweep in range(_SWEEPS):
        places = {node.key: row / len(layer) for layer in layers for row, node in enumerate(layer)}
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            means = {
                node.key: sum(places[one] for one in beside[node.key]) / len(beside[node.key])
                if node.key in beside
                else places[node.key]
                for node in layer
            }
            layer.sort(key=lambda node: means[node.key])
            places.update({node.key: row / len(layer) for row, node in enumerate(layer)})
    return layers
