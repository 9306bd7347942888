"""Models of two runs on the same test rows: a fair comparison, where the splits allow one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from seedbed.core.difference import Paired
from seedbed.core.errors import SeedbedError
from seedbed.core.metric import metric_named
from seedbed.core.numbers import word
from seedbed.core.rows import ROW
from seedbed.core.run import Comparison, Run
from seedbed.evaluate.holm import with_holm
from seedbed.evaluate.paired import Answers, compare

from .tables import Tables

#: With fewer rows nothing could be told.
FEWEST = 20


def paired(tables: Tables) -> Paired:
    """Compare models of one name, and the best of both, on rows that are test rows of both.

    Such rows were seen by no model of either run, which is what makes the comparison fair; a row that is a test row of
    one and a training row of the other would favour the other, and is left out.
    """
    a, b = tables.a, tables.b
    if a.run is None or b.run is None:
        return Paired(why_not="only runs have models")
    sizes = {"of_a": a.splits.get("test", 0), "of_b": b.splits.get("test", 0)}
    why = _why_not(a.run, b.run)
    if why:
        return Paired(**sizes, why_not=why)
    rows = tables.common("test")
    if len(rows) < FEWEST:
        few = (
            f"only {len(rows)} of {sizes['of_a']:,} and {sizes['of_b']:,} test rows "
            f"{word(len(rows), 'is a test row', 'are test rows')} of both"
        )
        return Paired(rows=len(rows), **sizes, why_not=f"{few} with the same label; at least {FEWEST} are needed")
    labels = list(map(str, a.run.task["labels"]))
    try:
        found = [_compared(tables, rows, labels, *pair) for pair in _pairs(a.run, b.run)]
    except (OSError, pl.exceptions.PolarsError, SeedbedError):
        return Paired(rows=len(rows), **sizes, why_not="the predictions of one of the two cannot be read")
    known = [one for one in found if one is not None]
    level = float(b.run.intervals.get("level", 0.95))
    compared = with_holm(known, [metric_named(b.run.metric)], level) if known else ()
    return Paired(rows=len(rows), **sizes, comparisons=compared)


def _why_not(a: Run, b: Run) -> str | None:
    if not a.models or not b.models:
        return "one of the two has no models"
    if "test" not in a.dataset.splits or "test" not in b.dataset.splits:
        return "one of the two has no test rows"
    if a.metric != b.metric:
        return f"they are judged by different metrics, {a.metric} and {b.metric}"
    if not a.task.get("labels") or a.task.get("labels") != b.task.get("labels"):
        return "their labels differ"
    return None


def _pairs(a: Run, b: Run) -> list[tuple[str, str]]:
    """Models of one name, and the best of both."""
    others = {model.name for model in b.models}
    pairs = [(model.name, model.name) for model in a.models if model.name in others]
    if a.best and b.best and a.best != b.best:
        pairs.append((a.best, b.best))
    return pairs


def _compared(
    tables: Tables, rows: list[tuple[str, str]], labels: list[str], of_a: str, of_b: str
) -> Comparison | None:
    first = _answers(tables.a.folder, of_a, [row for row, _ in rows])
    second = _answers(tables.b.folder, of_b, [row for _, row in rows])
    codes = {label: code for code, label in enumerate(labels)}
    truth = first["truth"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
    run = tables.b.run
    assert run is not None
    return compare(
        truth,
        Answers(f"{of_a} of a", np.asarray(first["probabilities"].to_list(), dtype=np.float64)),
        Answers(f"{of_b} of b", np.asarray(second["probabilities"].to_list(), dtype=np.float64)),
        metric_named(run.metric),
        split="test",
        level=float(run.intervals.get("level", 0.95)),
        resamples=int(run.intervals.get("resamples", 10_000)),
        seed=run.seed,
    )


def _answers(folder: Path, model: str, rows: list[str]) -> pl.DataFrame:
    """What a model said about some rows, in their order."""
    said = pl.read_parquet(folder / "predictions" / f"{model}-test.parquet", glob=False)
    found = pl.DataFrame({ROW: rows}).join(said, on=ROW, how="left", maintain_order="left")
    if found["truth"].null_count():
        raise pl.exceptions.NoDataError("a test row has no prediction")
    return found
