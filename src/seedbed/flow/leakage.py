"""What leakage would have claimed: the best model once more, under the split that people make without thinking."""

from __future__ import annotations

import numpy as np
import polars as pl

from seedbed.core.learner import Learner
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.run import LeakageClaim, ModelRecord
from seedbed.core.splitter import Splitter
from seedbed.core.table import Table
from seedbed.evaluate.judge import judge
from seedbed.splits.verify import verify

from .judging import Judging
from .splitting import Similarity


def claim_of_leakage(
    judging: Judging, learner: Learner, honest: ModelRecord, table: Table, splitter: Splitter, similarity: Similarity
) -> LeakageClaim:
    """Score a learner under a naive random split of the rows as they were before copies were removed."""
    task = judging.task
    rows = pl.concat(list(table.batches(list(dict.fromkeys([NUMBER, ROW, task.text, task.label, similarity.column])))))
    rows = rows.filter(task.refusal().is_null())
    order = np.random.default_rng(splitter.seed).permutation(rows.height)
    cuts = np.cumsum([round(share * rows.height) for share in splitter.shares.values()])[:-1]
    parts = dict(zip(splitter.shares, (rows[np.sort(part)] for part in np.split(order, cuts)), strict=True))
    splits = {name: judging.rows(name, part) for name, part in parts.items()}
    with judging.context.stage(f"What leakage would have claimed for {honest.name}"):
        model = judging.fit(learner, splits)
        chances = judging.predict(model, splits["test"].frame)
        metric = judging.metrics[0]
        naive = judge(splits["test"].truth, chances, judging.labels, [metric], **judging._draws())
        test, column = parts["test"], similarity.column
        found = verify(
            [(parts["train"][ROW].to_list(), parts["train"][column].cast(pl.String).to_list())],
            (test[ROW].to_list(), test[column].cast(pl.String).to_list()),
            kind=similarity.kind,
            threshold=similarity.threshold,
            seed=splitter.seed,
        )
    return LeakageClaim(
        model=honest.name,
        metric=metric.use,
        honest=honest.scores["test"][metric.use],
        naive=naive.scores[metric.use],
        naive_rows=rows.height,
        straddling=len({pair[0] for pair in found.pairs}),
        naive_test_rows=found.rows,
    )
