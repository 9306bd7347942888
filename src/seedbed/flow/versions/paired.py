"""Models of two runs on the same test rows: a fair comparison, where the splits allow one."""

from __future__ import annotations

import polars as pl

from seedbed.core.context import utc_now
from seedbed.core.difference import Paired
from seedbed.core.errors import SeedbedError
from seedbed.core.held_out import note
from seedbed.core.metric import metric_named
from seedbed.core.numbers import word
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.holm import with_holm

from .models import FEWEST, OfRun, compared, of_both, pairs, same_judges, task_of
from .tables import Tables


def paired(tables: Tables) -> Paired:
    """Compare models of one name, and the best of both, on rows that are test rows of both.

    Such rows were seen by no model of either run, which is what makes the comparison fair; a row that is a test row of
    one and a training row of the other would favour the other, and is left out. So is one that the runs answer
    differently themselves.
    """
    a, b = tables.a, tables.b
    if a.run is None or b.run is None:
        return Paired(why_not="only runs have models")
    sizes = {"of_a": a.splits.get("test", 0), "of_b": b.splits.get("test", 0)}
    why = same_judges(a.run, b.run, None)
    if why:
        return Paired(**sizes, why_not=why)
    models = [
        (OfRun("a", a.folder, a.run, one), OfRun("b", b.folder, b.run, other)) for one, other in pairs(a.run, b.run)
    ]
    if not models:
        return Paired(**sizes, why_not="no model of the one has the name of a model of the other")
    form, metric = form_of(task_of(a.run)), b.run.metric
    try:
        rows = of_both(*models[0], tables.common("test"))
        if len(rows) < FEWEST:
            return Paired(rows=len(rows), **sizes, why_not=_few(len(rows), **sizes))
        found = [compared(*pair, rows, form, metric) for pair in models]
    except (OSError, pl.exceptions.PolarsError, SeedbedError):
        return Paired(**sizes, why_not="the predictions of one of the two cannot be read")
    for one, other in models:
        note(one.folder, [one.read(len(rows), utc_now())])
        note(other.folder, [other.read(len(rows), utc_now())])
    known = [one for one in found if one is not None]
    level = float(b.run.intervals.get("level", 0.95))
    told = with_holm(known, [metric_named(metric)], level) if known else ()
    return Paired(rows=len(rows), **sizes, comparisons=told)


def _few(rows: int, of_a: int, of_b: int) -> str:
    """Why so few rows do not judge."""
    judge = word(rows, "is a test row", "are test rows")
    few = f"only {rows} of {of_a:,} and {of_b:,} test rows {judge} of both, with the same answer"
    return f"{few}; at least {FEWEST} are needed"
