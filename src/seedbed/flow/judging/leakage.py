"""What leakage would have claimed: the best model once more, under the split that people make without thinking."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.learner import Learner
from seedbed.core.rows import NUMBER
from seedbed.core.run import LeakageClaim, ModelRecord
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.splitting.split import Similarity
from seedbed.splits.verify import verify

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
    task, seed = judging.task, judging.context.seed
    there = table.schema.names()
    missing = [name for name in task.roles.values() if name not in there]
    if missing:
        raise DataError(f"copies were removed before the column {missing[0]!r} was made")
    compared = similarity.columns if similarity.kind == "rows" else (similarity.column,)
    needed = preparation.columns(there) if preparation else [NUMBER, *judging.seen(there)]
    wanted = dict.fromkeys([*needed, *compared, *task.roles.values()])
    rows = _as_task(task, pl.concat(list(table.batches([name for name in wanted if name in there]))))
    # Shuffle and cut, as one does without thinking: rows by rank of a random number.
    rank = np.random.default_rng(seed).permutation(rows.height) / rows.height
    places = np.searchsorted(np.cumsum(list(shares.values()))[:-1], rank, side="right").astype(np.int8)
    naive = {name: rows.filter(pl.Series(places == place)) for place, name in enumerate(shares)}
    if preparation:
        train, others = preparation(naive.pop("train"), naive, careful=False)
        naive = {"train": train, **others}
    splits = {name: judging.rows(name, some) for name, some in naive.items()}
    if task.says == "label" and _labels_in(judging, splits["test"]) != {
        label for label, found in honest.classes["test"].items() if found.support
    }:
        raise DataError("some label is in the test rows of only one of the two splits, so their scores do not compare")
    with judging.context.stage(f"What leakage would have claimed for {honest.name}"):
        answers = judging.ask(learner, splits, ["test"]).answers["test"]
        judging.context.read_test(honest.name, "leakage", splits["test"].frame.height)
        metric = judging.metrics[0]
        found_there = judging.judge(splits["test"], answers)
        test = list(shares).index("test")
        judged = np.isin(places, (0, test))
        texts = similarity.texts(rows.filter(pl.Series(judged))).fill_null("").to_list()
        numbers = rows[NUMBER].to_numpy()[judged]
        found = verify(
            lambda: [(numbers, texts)],
            numbers,
            places[judged],
            kind=similarity.kind,
            threshold=similarity.threshold,
            seed=seed,
        )
    return LeakageClaim(
        model=honest.name,
        metric=metric.use,
        honest=honest.scores["test"][metric.use],
        naive=found_there.scores[metric.use],
        naive_rows=rows.height,
        straddling=found.leaking,
        naive_test_rows=found.rows,
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
