"""`seedbed runs`, `runs tag`, `runs untag` and `runs lineage`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core import numbers
from seedbed.core.errors import RecipeError

from .terminal import say, warn

if TYPE_CHECKING:
    from seedbed.core.lineage import Lineage, Node
    from seedbed.store.runs import Entry, Standing


@dataclass(frozen=True)
class Wanted:
    """Which runs are listed, and in which order."""

    name: str | None = None
    dataset: str | None = None
    """The start of its digest."""
    task: str | None = None
    sort: str = "started"

    def of(self, entries: Sequence[Entry]) -> list[Entry]:
        """The runs that are wanted; they come with the newest first.

        Scores of one metric stand together, the best first; runs without one come last.
        """
        found = [
            one
            for one in entries
            if self.name in (None, one.name)
            and self.task in (None, one.task)
            and (self.dataset is None or (one.dataset and one.dataset.startswith(self.dataset)))
        ]
        if self.sort == "name":
            return sorted(found, key=lambda one: one.name)
        return sorted(found, key=_by_score) if self.sort == "score" else found


def _by_score(entry: Entry) -> tuple[bool, str, str, float]:
    import seedbed.evaluate  # noqa: F401  (fills the catalogue of metrics)
    from seedbed.core.metric import metric_named

    best = entry.best
    if best is None or best.score is None:
        return True, "", "", 0.0
    try:
        sign = 1 if metric_named(best.metric).lower_is_better else -1
    except KeyError:  # a plugin's metric, and the plugin is gone
        sign = -1
    return False, best.metric, best.split, sign * best.score.value


def show_runs(folder: Path | None, wanted: Wanted = Wanted(), *, as_json: bool) -> None:
    """Print the runs of a store, the newest first unless another order is wanted."""
    from seedbed.flow.naming import store_near
    from seedbed.store.champions import Champions
    from seedbed.store.runs import Index, standing_of

    if folder is not None and not folder.is_dir():
        hint = "a recipe's folder, or tag, untag, lineage"
        raise RecipeError("there is no such folder, and no such command", at=f"seedbed runs {folder}", hint=hint)
    store = store_near(folder)
    entries, damaged = Index(store).readable()
    warn(one.in_a_line() for one in damaged)
    champions = Champions(store).all()
    found = [(one, standing_of(one), champions.get(one.name) == one.id) for one in wanted.of(entries)]
    if as_json:
        say(json.dumps([facts(*one) for one in found], indent=2, ensure_ascii=False))
    elif entries and not found:
        say(f"none of the {numbers.things(len(entries), 'run')} in {store} is like that")
    elif not found:
        say(_none_in(store))
    else:
        say("\n\n".join("\n".join(told(*one)) for one in found))


def looked_through(at: Path | None) -> Path:
    """The store of a folder, after a warning for each entry of its index that cannot be read and is passed over."""
    from seedbed.flow.naming import store_near
    from seedbed.store.runs import Index

    store = store_near(at)
    warn(one.in_a_line() for one in Index(store).readable()[1])
    return store


def facts(entry: Entry, standing: Standing, champion: bool) -> dict[str, Any]:
    """What `--json` prints of a run."""
    return {
        **entry.model_dump(mode="json", exclude={"files", "used", "models"}),
        "folder": str(standing.folder),
        "standing": standing.kind,
        "champion": champion,
        "models": {model.name: model.digest for model in entry.models},
        "artefacts": len(entry.used),
    }


def told(entry: Entry, standing: Standing, champion: bool) -> list[str]:
    """A run for people."""
    names = [*entry.tags, *([f"{entry.name}@champion"] if champion else [])]
    tags = f"  [{', '.join(names)}]" if names else ""
    state = entry.state if entry.limit is None else f"{entry.state}, limit {entry.limit}"
    lines = [f"{entry.id}  {entry.name}  {entry.started[:16].replace('T', ' ')}  {state}{tags}"]
    made = f", dataset {entry.dataset[:12]}" if entry.dataset else ", no dataset"
    task = f", {entry.task}" if entry.task else ""
    lines.append(f"  {numbers.things(entry.rows, 'row')} kept{made}{task}")
    if entry.best:
        best = entry.best
        score = numbers.typed(numbers.scored(best.score))
        lines.append(f"  best: {best.model}, {numbers.metric(best.metric)} on {best.split} {score}")
    gone = "; what it made was collected" if entry.collected else ""
    return [*lines, f"  {standing}{gone}"]


def tag(run: str, name: str, *, force: bool, at: Path | None) -> None:
    """Tag a run, and say which."""
    from seedbed.flow.naming import find_entry
    from seedbed.store.runs import Index

    store = looked_through(at)
    entry = Index(store).tag(find_entry(run, store).id, name, force=force)
    say(f"{name}: run {entry.id} of {entry.name}")


def untag(name: str, *, at: Path | None) -> None:
    """Take a tag away, and say from which run."""
    from seedbed.store.runs import Index

    entry = Index(looked_through(at)).untag(name)
    say(f"{name} is no longer run {entry.id} of {entry.name}")


def lineage(run: str | None, *, dot: bool, out: Path | None, at: Path | None, as_json: bool) -> None:
    """Print or draw the lineage."""
    from seedbed.flow.versions.ancestry import lineage as lineage_of

    if dot and as_json:
        raise RecipeError("--dot and --json cannot both be printed", at="seedbed runs lineage", hint="choose one")
    store = looked_through(at)
    found = lineage_of(store, run)
    if out is not None:
        from seedbed.flow.versions.pages import write_page
        from seedbed.report.lineage import render

        write_page(out, render(found, run))
    if as_json:
        say(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    elif dot:
        say("\n".join(as_dot(found)))
    elif not found.nodes:
        say(_none_in(store))
    elif out is None:
        say(numbers.typed("\n".join(tree(found))))
    else:
        say(f"page: {out}")


def tree(found: Lineage) -> list[str]:
    """The lineage as trees, each beginning with something that no run made; what was shown above is only named."""
    beginnings = [node for node in found.nodes if not any(found.before(node.key))]
    seen: set[str] = set()
    return [line for node in beginnings for line in _branch(found, node, "", "", seen)]


def _branch(found: Lineage, node: Node, lead: str, below: str, seen: set[str]) -> Iterator[str]:
    again = node.key in seen
    seen.add(node.key)
    after = [] if again else list(found.after(node.key))
    yield f"{lead}{_named(node)}{' (shown above)' if again and any(found.after(node.key)) else ''}"
    for place, one in enumerate(after):
        last = place + 1 == len(after)
        lines = _branch(found, one, f"{below}{'└─ ' if last else '├─ '}", f"{below}{'   ' if last else '│  '}", seen)
        yield from lines


def _named(node: Node) -> str:
    kind = "" if node.kind == "source" else f"{node.kind} "
    tags = f" [{', '.join(node.tags)}]" if node.tags else ""
    more = ", ".join(one for one in (node.detail, node.state) if one)
    return f"{kind}{node.title}{tags}" + (f" ({more})" if more else "")


def as_dot(found: Lineage) -> Iterator[str]:
    """The lineage in Graphviz's language."""
    shapes = {"source": "note", "run": "box", "dataset": "cylinder", "model": "component"}
    names = {node.key: f"n{place}" for place, node in enumerate(found.nodes)}
    yield "digraph lineage {"
    yield "  rankdir=LR;"
    for node in found.nodes:
        words = "\n".join(one for one in (_named(node).partition(" (")[0], node.detail, node.state) if one)
        yield f"  {names[node.key]} [shape={shapes[node.kind]}, label={_dotted(words)}];"
    for edge in found.edges:
        yield f"  {names[edge.start]} -> {names[edge.end]};"
    yield "}"


def _dotted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _none_in(store: Path) -> str:
    return f"no runs in {store}; a run is entered when it ends, in the .seedbed beside its recipe: name that folder"
