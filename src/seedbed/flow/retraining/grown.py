"""What a challenger has learned from that the champion did not have, and whether any of it judged the champion."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from seedbed.core.promotion import Grown
from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.flow.finished import Finished
from seedbed.flow.judging.slices import flat
from seedbed.flow.versions.models import task_of
from seedbed.flow.versions.sides import open_side
from seedbed.flow.versions.tables import Tables


def grown(champion: Finished, challenger: Finished, tables: Tables) -> Grown:
    """Rows that came, went or were corrected, and copies of test rows among those that came.

    Args:
        champion: Its test rows judge.
        challenger: Its rows may be more.
        tables: Both side by side.

    Raises:
        polars.exceptions.PolarsError: A dataset cannot be read.
    """
    counts = tables.counts()
    answer = task_of(challenger.run).answer
    added = tables.all("SELECT split, count(*) FROM added GROUP BY 1 ORDER BY 1")
    order = list(challenger.run.dataset.splits)
    return Grown(
        added=dict(sorted(added, key=lambda one: order.index(one[0]) if one[0] in order else len(order))),
        gone=counts["removed"],
        corrected=tables.differing(answer) if answer else 0,
        copies=_copies(champion, challenger, [row for (row,) in tables.all("SELECT id FROM added")]),
    )


def _copies(champion: Finished, challenger: Finished, added: list[str]) -> dict[str, int]:
    """Rows among those added that say, word for word, what a test row of the champion says, by split."""
    if not added:
        return {}
    task = task_of(challenger.run)
    tested = [said_in(file, task) for file in open_side(champion.folder).files.get("test", ())]
    known = pl.concat(tested).unique() if tested else pl.Series(dtype=pl.String)
    new, found = pl.Series(added), {}
    for split, files in open_side(challenger.folder).files.items():
        many = 0
        for file in files:
            rows = pl.read_parquet(file, glob=False)
            many += int((rows[ROW].is_in(new.implode()) & says(rows, task).is_in(known.implode())).sum())
        if many:
            found[split] = many
    return found


def said_in(file: Path, task: Task) -> pl.Series:
    """What each row of a Parquet file says."""
    return says(pl.read_parquet(file, glob=False), task)


def says(rows: pl.DataFrame, task: Task) -> pl.Series:
    """What rows say, as text: by that they are the same rows, whatever they are called."""
    columns = task.compared([name for name in rows.columns if name not in (ROW, task.answer)])
    said = pl.DataFrame([flat(rows[name]).alias(name) for name in columns])
    return said.select(pl.concat_str(pl.all().fill_null(""), separator="\x1f")).to_series()
