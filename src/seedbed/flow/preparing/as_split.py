"""Rows as they were split, before `prepare`, in a run's folder: a later run's rows are compared with these."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seedbed.checks.drifting.sample import chosen
from seedbed.core.earlier_run import UNPREPARED
from seedbed.core.rows import NUMBER
from seedbed.core.table import Table
from seedbed.flow.splitting.dataset import SplitWriter
from seedbed.flow.splitting.split import Split


def write_as_split(table: Table, split: Split, folder: Path) -> None:
    """Write the rows that were read, by split; of very many rows the sample that `drift` would take.

    The dataset cannot tell how they were: `prepare` rewrites columns, drops rows and makes others.

    Args:
        table: The rows.
        split: Where each of them is, and which of them a model made: those are left out.
        folder: The run's.
    """
    data = folder / UNPREPARED
    data.mkdir()
    writers = [SplitWriter(data, name) for name in split.names]
    read = sum(int((~split.only_trains(batch[NUMBER])).sum()) for batch in table.batches([NUMBER]))
    taken, seen = chosen(read), 0
    for batch in table.batches():
        rows = batch.filter(~split.only_trains(batch[NUMBER]))
        first, end = np.searchsorted(taken, [seen, seen + rows.height])
        some = rows[taken[first:end] - seen]
        places = split.of(some)
        for place, writer in enumerate(writers):
            writer.write(some.filter(places == place))
        seen += rows.height
    for writer in writers:
        writer.finish()
