"""A model of one run against a model of another, on rows that are test rows of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import TypeAdapter

from seedbed.core.held_out import ReadOfTest
from seedbed.core.metric import metric_named
from seedbed.core.rows import GROUP, ROW
from seedbed.core.run import Comparison, Run
from seedbed.core.task import AnyTask, Task
from seedbed.evaluate.forms import Form, form_of
from seedbed.evaluate.groups import Groups, grouped
from seedbed.evaluate.paired import Answers, compare
from seedbed.splits.clusters import cluster

_TASKS: TypeAdapter[Task] = TypeAdapter(AnyTask)
#: With fewer rows nothing could be told.
FEWEST = 20


@dataclass(frozen=True)
class OfRun:
    """A model of a run, and what it answered to test rows."""

    letter: str
    """Of the run, among those that are compared."""
    folder: Path
    run: Run
    name: str

    def __str__(self) -> str:
        return f"{self.name} of {self.letter}"

    def told(self, rows: Sequence[str], form: Form) -> tuple[Any, Any]:
        """What is right of some test rows, and what the model said, in their order.

        Raises:
            polars.exceptions.PolarsError: The predictions cannot be read, or lack a row.
        """
        wanted = pl.DataFrame({ROW: rows}, schema={ROW: pl.String})
        said = pl.read_parquet(self.folder / "predictions" / f"{self.name}-test.parquet", glob=False)
        if said[ROW].is_in(rows).sum() < len(rows):
            raise pl.exceptions.NoDataError("a test row has no prediction")
        found = wanted.join(said, on=ROW, how="left", maintain_order="left")
        told = form.reread(found)
        if told is not None:
            return told
        # What is right is the row itself, which predictions do not repeat.
        files = sorted((self.folder / "dataset" / "data").glob("test-*.parquet"))
        texts = pl.concat(pl.read_parquet(file, columns=[ROW, form.answer], glob=False) for file in files)
        return form.truth(wanted.join(texts, on=ROW, how="left", maintain_order="left")), found.drop(
            ROW, GROUP, strict=False
        )

    def groups(self, rows: Sequence[str]) -> pl.Series | None:
        """The group of each of some test rows; none where its run took every row for itself.

        Raises:
            polars.exceptions.PolarsError: The predictions cannot be read.
        """
        said = pl.read_parquet(self.folder / "predictions" / f"{self.name}-test.parquet", glob=False)
        if GROUP not in said.columns:
            return None
        wanted = pl.DataFrame({ROW: rows}, schema={ROW: pl.String})
        return wanted.join(said.select(ROW, GROUP), on=ROW, how="left", maintain_order="left")[GROUP]

    def read(self, rows: int, when: Any) -> ReadOfTest:
        """That test rows were read to compare it."""
        return ReadOfTest.of(self.name, "comparison", rows, when)


def of_both(a: OfRun, b: OfRun, rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The rows that judge both: those of which both runs say the same, for an answer that changed is another question.

    Args:
        a: A model of the one run.
        b: A model of the other.
        rows: Ids of the same test rows in the run of each.

    Raises:
        polars.exceptions.PolarsError: What is right cannot be read.
    """
    first, _ = a.told([row for row, _ in rows], form_of(task_of(a.run)))
    second, _ = b.told([row for _, row in rows], form_of(task_of(b.run)))
    return [pair for pair, one, other in zip(rows, first, second, strict=True) if _same(one, other)]


def _same(first: object, second: object) -> bool:
    """Whether two rows say the same; what they say may be one value, or one for each label."""
    found = first == second
    return bool(found.all()) if hasattr(found, "all") else bool(found)


def groups_of_both(a: OfRun, b: OfRun, rows: Sequence[tuple[str, str]]) -> Groups:
    """Groups of rows that belong together in either of two runs; arguments as of `of_both`.

    Raises:
        polars.exceptions.PolarsError: The predictions of one of the two cannot be read.
    """
    each = a.groups([row for row, _ in rows]), b.groups([row for _, row in rows])
    nobody = np.zeros(0, dtype=np.uint64)
    numbers = np.arange(len(rows), dtype=np.uint64)
    return grouped(cluster(numbers, pairs=(nobody, nobody), groups=[one for one in each if one is not None]).ids)


def compared(a: OfRun, b: OfRun, rows: Sequence[tuple[str, str]], form: Form, metric: str) -> Comparison | None:
    """Compare the second model with the first, as the second's run puts intervals on differences.

    Args:
        a: The one.
        b: The other.
        rows: Ids of the same rows in the run of each, which say the same of them.
        form: How answers are held.
        metric: What to compare by.

    Returns:
        None where the metric has no value on these rows.

    Raises:
        polars.exceptions.PolarsError: The predictions of one of the two cannot be read.
        SeedbedError: They are no answers to the task.
    """
    truth, first = a.told([row for row, _ in rows], form)
    _, second = b.told([row for _, row in rows], form)
    return compare(
        truth,
        Answers(str(a), first, right=form.right(truth, first)),
        Answers(str(b), second, right=form.right(truth, second)),
        metric_named(metric),
        split="test",
        level=float(b.run.intervals.get("level", 0.95)),
        resamples=int(b.run.intervals.get("resamples", 10_000)),
        seed=b.run.seed,
        groups=groups_of_both(a, b, rows),
    )


def same_judges(a: Run, b: Run, metric: str | None) -> str | None:
    """Why models of two runs cannot be compared whatever their rows, if so.

    Args:
        a: The one.
        b: The other.
        metric: What to compare by; the one that decides in both when left out.
    """
    if not a.models or not b.models:
        return "one of the two has no models"
    if "test" not in a.dataset.splits or "test" not in b.dataset.splits:
        return "one of the two has no test rows"
    if metric is None and a.metric != b.metric:
        return f"they are judged by different metrics, {a.metric} and {b.metric}"
    if a.task.get("kind") != b.task.get("kind"):
        return "their tasks differ"
    if a.task.get("labels") != b.task.get("labels"):
        return "their labels differ"
    return None


def task_of(run: Run) -> Task:
    """What a run's rows are for, as its record says."""
    return _TASKS.validate_python(run.task)


def pairs(a: Run, b: Run) -> list[tuple[str, str]]:
    """Models of one name, and the best of both."""
    others = {model.name for model in b.models}
    found = [(model.name, model.name) for model in a.models if model.name in others]
    if a.best and b.best and a.best != b.best:
        found.append((a.best, b.best))
    return found
