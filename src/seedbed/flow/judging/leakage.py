"""What leakage would have claimed: the best model once more, under the split that people make without thinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.learner import Learner
from seedbed.core.rows import NUMBER
from seedbed.core.run import LeakageClaim, ModelRecord
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.splitting.split import Similarity
from seedbed.splits.verify import Verification, verify

from .judge import Judging, Rows


def claim_of_leakage(
    judging: Judging,
    learner: Learner,
    honest: ModelRecord,
    table: Table,
    shares: Mapping[str, float],
    similarity: Similarity,
    preparation: Preparation | None = None,
) -> LeakageClaim:
    """Score a learner under a naive random split of the rows as they were before copies were removed.

    What `prepare` does is done to the naive training rows; made rows are not compared with what judges, as nobody does
    without thinking.

    Raises:
        DataError: The naive split cannot be learned from, or has other labels among its test rows.
        ModelError: Learning failed.
    """
    rows = _rows_before(judging, table, similarity, preparation)
    places = _shuffled(rows.height, shares, judging.context.seed)
    splits = _naive(judging, rows, places, list(shares), preparation)
    if judging.task.says == "label" and _labels_in(judging, splits["test"]) != {
        label for label, found in honest.classes["test"].items() if found.support
    }:
        raise DataError("some label is in the test rows of only one of the two splits, so their scores do not compare")
    metric = judging.metrics[0]
    with judging.context.stage(f"What leakage would have claimed for {honest.name}"):
        answers = judging.ask(learner, splits, ["test"]).answers["test"]
        judging.context.read_test(honest.name, "leakage", splits["test"].frame.height)
        scores = judging.judge(splits["test"], answers).scores
        found = _straddling(rows, places, list(shares).index("test"), similarity, judging.context.seed)
    return LeakageClaim(
        model=honest.name,
        metric=metric.use,
        honest=honest.scores["test"][metric.use],
        naive=scores[metric.use],
        naive_rows=rows.height,
        straddling=found.leaking,
        naive_test_rows=found.rows,
    )


def _rows_before(
    judging: Judging, table: Table, similarity: Similarity, preparation: Preparation | None
) -> pl.DataFrame:
    """The rows as they were before copies were removed, with all columns that somebody asks for."""
    task, there = judging.task, table.schema.names()
    missing = [name for name in task.roles.values() if name not in there]
    if missing:
        raise DataError(f"copies were removed before the column {missing[0]!r} was made")
    compared = similarity.columns if similarity.kind == "rows" else (similarity.column,)
    needed = preparation.columns(there) if preparation else [NUMBER, *judging.seen(there)]
    wanted = dict.fromkeys([*needed, *compared, *task.roles.values()])
    return _as_task(task, pl.concat(list(table.batches([name for name in wanted if name in there]))))


def _shuffled(rows: int, shares: Mapping[str, float], seed: int) -> NDArray[np.int8]:
    """Shuffle and cut, as one does without thinking: the place among `shares` of each row, shape (rows,)."""
    rank = np.random.default_rng(seed).permutation(rows) / rows
    return np.searchsorted(np.cumsum(list(shares.values()))[:-1], rank, side="right").astype(np.int8)


def _naive(
    judging: Judging,
    rows: pl.DataFrame,
    places: NDArray[np.int8],
    names: Sequence[str],
    preparation: Preparation | None,
) -> dict[str, Rows]:
    """The naive splits, ready to be learned from and asked about."""
    naive = {name: rows.filter(pl.Series(places == place)) for place, name in enumerate(names)}
    if preparation:
        train, others = preparation(naive.pop("train"), naive, careful=False)
        naive = {"train": train, **others}
    return {name: judging.rows(name, some) for name, some in naive.items()}


def _straddling(
    rows: pl.DataFrame, places: NDArray[np.int8], test: int, similarity: Similarity, seed: int
) -> Verification:
    """Which test rows have an equal or near-equal one among the training rows."""
    judged = np.isin(places, (0, test))
    texts = similarity.texts(rows.filter(pl.Series(judged))).fill_null("").to_list()
    numbers = rows[NUMBER].to_numpy()[judged]
    return verify(
        lambda: [(numbers, texts)],
        numbers,
        places[judged],
        kind=similarity.kind,
        threshold=similarity.threshold,
        seed=seed,
    )


def _as_task(task: Task, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that the task can use, in its own form: copies are removed before it reads them."""
    work = rows.select(task.work().alias("work"))["work"].struct
    rows = rows.filter(usable := work.field("reason").is_null())
    if not task.written:
        return rows
    return rows.with_columns(work.field("columns").filter(usable).struct.unnest().select(task.written))


def _labels_in(judging: Judging, rows: Rows) -> set[str]:
    return {judging.labels[code] for code in np.unique(rows.truth)}
