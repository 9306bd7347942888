"""Rows that several runs drew to be read, with what the best model of each says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seedbed.core.run import Run
from seedbed.core.side_by_side import SampledAnswer, SampledRow, SideBySide

#: Rows that are shown.
MOST = 8


def drawn_by_both(runs: Mapping[str, Run]) -> SideBySide | None:
    """The rows that the first run drew and others as well; none where there are none.

    Runs draw by the seed and the row's id, so that those which hold the same rows draw the same.

    Args:
        runs: By letter; of runs whose row ids mean the same rows.
    """
    told = {letter: run.scrutiny.side_by_side for letter, run in runs.items() if run.scrutiny}
    there = {letter: one for letter, one in told.items() if one is not None}
    if len(there) < 2 or next(iter(runs)) not in there:
        return None
    first, *others = there.values()
    metric = first.metric if all(one.metric == first.metric for one in others) else None
    rows = tuple(_rows(runs, there, scored=metric is not None))[:MOST]
    if not rows:
        return None
    return first.model_copy(update={"metric": metric, "rows": rows, "silent": ()})


def _rows(runs: Mapping[str, Run], told: Mapping[str, SideBySide], *, scored: bool) -> Iterator[SampledRow]:
    of_run = {letter: {(row.row, row.text, row.truth): row for row in one.rows} for letter, one in told.items()}
    for same, row in of_run[next(iter(told))].items():
        answers = [
            _of_best(runs[letter], letter, rows[same], scored) for letter, rows in of_run.items() if same in rows
        ]
        if len(answers) > 1:
            yield row.model_copy(update={"answers": tuple(answers)})


def _of_best(run: Run, letter: str, row: SampledRow, scored: bool) -> SampledAnswer:
    """The best model's answer, or the first one's where the best cannot write."""
    found = next((one for one in row.answers if one.model == run.best), row.answers[0])
    return SampledAnswer(model=f"{found.model} of {letter}", text=found.text, score=found.score if scored else None)
