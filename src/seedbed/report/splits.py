"""Where splits lie in time, and how many rows each fold has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from seedbed.core.numbers import things
from seedbed.core.run import Run

from .bars import Bar, Segment, bars
from .figure import Figure


def times(run: Run) -> Figure | None:
    """Each split from its oldest to its youngest row, one below the other; what is between them was left out."""
    told = run.certificate.times if run.certificate else None
    if not told or not told["splits"]:
        return None
    spans = {name: (_number(span["from"]), _number(span["to"])) for name, span in told["splits"].items()}
    first, last = min(low for low, _ in spans.values()), max(high for _, high in spans.values())
    thinnest = (last - first) / 200 or 1.0
    rows = []
    for place, (name, (low, high)) in enumerate(spans.items()):
        span = f"{moment(told['splits'][name]['from'])} – {moment(told['splits'][name]['to'])}"
        piece = Segment(low - first, max(high - low, thinnest), f"split-{place}", f"{name}: {span}")
        rows.append(Bar(name, span, [piece]))
    title = f"The splits in the order of {told['column']}"
    caption = f"{title}: each from its oldest row to its youngest; between them, nothing."
    return Figure("times", caption, bars("times", title, rows))


def folds(run: Run) -> Figure | None:
    """Rows of each fold, and of those that train in every one."""
    told = run.certificate.folds if run.certificate else None
    if not told:
        return None
    rows = [
        Bar(f"fold {place}", things(count, "row"), [Segment(0, count, "split-0", things(count, "row"))])
        for place, count in enumerate(told["rows"])
    ]
    if told["always"]:
        always = things(told["always"], "row")
        rows.append(Bar("in every fold", always, [Segment(0, told["always"], "made", always)]))
    title = "Rows of each fold"
    return Figure("fold_sizes", f"{title}: each is held out once, while the others train.", bars("folds", title, rows))


def moment(value: Any) -> str:
    """A point in time as one reads it: without a time of day where that is midnight UTC."""
    return str(value).removesuffix("+00:00").removesuffix("T00:00:00").replace("T", " ")


def _number(value: Any) -> float:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)
