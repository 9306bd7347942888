"""Champion and challenger on the rows that judge both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from seedbed.core.context import utc_now
from seedbed.core.errors import DataError
from seedbed.core.held_out import note
from seedbed.core.metric import Metric, metric_named
from seedbed.core.promotion import Grown, Later, OnSlice
from seedbed.core.rows import ROW
from seedbed.core.run import Comparison
from seedbed.core.statistics.holm import holm
from seedbed.core.task import rows_said
from seedbed.evaluate.forms import Form, form_of
from seedbed.evaluate.groups import Groups, some_groups
from seedbed.evaluate.holm import verdict
from seedbed.evaluate.paired import Answers, compare
from seedbed.evaluate.slices import FEWEST_ROWS, Grouping, by_length, by_value, length_edges
from seedbed.evaluate.taking import some
from seedbed.flow.finished import Finished
from seedbed.flow.judging.slices import flat
from seedbed.flow.versions.models import FEWEST, OfRun, groups_of_both, same_judges, task_of
from seedbed.flow.versions.sides import Opened, open_side
from seedbed.flow.versions.tables import Tables, identity_of, side_by_side

from .grown import grown
from .later import Window, asked_now, window_after

#: Slices by what is right: on rows of one label, how many are told right is what there is to measure.
LABEL, _OF_A_LABEL = "label", "accuracy"


@dataclass(frozen=True)
class Frozen:
    """The rows that judge: the champion's test rows that are the challenger's, too, or a later window of those."""

    pairs: Sequence[tuple[str, str]]
    """Ids in the champion's run and in the challenger's."""
    relabelled: int
    grown: Grown | None = None
    later: Later | None = None


@dataclass(frozen=True)
class Verdict:
    """How the two did."""

    frozen: Frozen
    comparison: Comparison | None
    slices: tuple[OnSlice, ...]
    why_not: str | None = None
    """Why they cannot be compared."""


def judge_both(
    champion: Finished, challenger: Finished, columns: Sequence[str] = (), *, time: str | None = None
) -> Verdict:
    """Compare the best models of two runs on the test rows of both, as a whole and slice by slice.

    What is right is what the challenger's run says: answers that people corrected count for both. A challenger's model
    was never trained on these rows, or near copies of them: its run's certificate says so.

    Args:
        champion: The run whose model stands.
        challenger: The run whose model may take its place.
        columns: What else to tell rows apart by.
        time: The column that both splits go by, if any: then a later window of the challenger's test rows judges.

    Raises:
        DataError: The datasets or predictions cannot be read.
        ModelError: The champion cannot be asked about a later window.
    """
    a, b = champion.run, challenger.run
    none = Frozen((), 0)
    why = same_judges(a, b, None)
    if why or not (a.best and b.best):
        return Verdict(none, None, (), why or "one of the two has no best model")
    with _tables(champion, challenger) as tables:
        frozen = _frozen(tables)
        frozen = replace(frozen, grown=grown(champion, challenger, tables))
    window = window_after(champion, challenger, time) if time else None
    if window is not None:
        ids = window.rows[ROW].to_list()
        frozen = Frozen(list(zip(ids, ids, strict=True)), 0, frozen.grown, window.told)
    if len(frozen.pairs) < FEWEST:
        which = f"are later than {window.told.after}, the last that the champion saw" if window else "are in both"
        few = f"only {len(frozen.pairs)} test rows {which}"
        return Verdict(frozen, None, (), f"{few}; at least {FEWEST} are needed")
    form = form_of(task_of(b))
    truth, first, second = _answers(champion, challenger, frozen, window, form)
    groups = _groups(champion, challenger, frozen, window)
    rows = _Rows(challenger, truth, first, second, form, metric_named(a.metric), groups)
    whole = rows.compared(np.ones(len(frozen.pairs), dtype=np.bool_))
    if whole is None:
        return Verdict(frozen, None, (), f"{a.metric} has no value on these rows")
    return Verdict(frozen, whole, rows.by_slice([*_groupings(champion, challenger, frozen, columns)]))


def _answers(
    champion: Finished, challenger: Finished, frozen: Frozen, window: Window | None, form: Form
) -> tuple[Any, Any, Any]:
    """What is right of the rows that judge, what the champion says, and what the challenger says; looks are noted."""
    models = [OfRun(name, one.folder, one.run, str(one.run.best)) for name, one in _named(champion, challenger)]
    try:
        truth, second = models[1].told([other for _, other in frozen.pairs], form)
        if window is not None:
            first = asked_now(champion, window.rows, form)
        else:
            _, first = models[0].told([one for one, _ in frozen.pairs], form)
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).splitlines()[0][:200]
        raise DataError(f"predictions cannot be read: {said}", at=str(champion.folder)) from None
    for model in models if window is None else models[1:]:
        note(model.folder, [model.read(len(frozen.pairs), utc_now())])
    return truth, first, second


def _groups(champion: Finished, challenger: Finished, frozen: Frozen, window: Window | None) -> Groups:
    """Groups of the rows that judge, by both runs; a later window's by the challenger's, which alone knows its rows."""
    first, second = (OfRun(name, one.folder, one.run, str(one.run.best)) for name, one in _named(champion, challenger))
    return groups_of_both(second if window is not None else first, second, frozen.pairs)


def _named(champion: Finished, challenger: Finished) -> tuple[tuple[str, Finished], ...]:
    return ("champion", champion), ("challenger", challenger)


def _tables(champion: Finished, challenger: Finished) -> Any:
    a, b = open_side(champion.folder), open_side(challenger.folder)
    return side_by_side(a, b, identity_of(a, b, None))


def _frozen(tables: Tables) -> Frozen:
    found = tables.all(
        "SELECT id_a, id_b, label_a IS DISTINCT FROM label_b FROM both_rows "
        "WHERE split_a = 'test' AND split_b = 'test' ORDER BY id_a"
    )
    return Frozen([(one, other) for one, other, _ in found], sum(changed for _, _, changed in found))


@dataclass(frozen=True)
class _Rows:
    """What both said of the frozen rows."""

    challenger: Finished
    truth: Any
    first: Any
    second: Any
    form: Form
    metric: Metric
    groups: Groups
    """The group of each row, where rows are no independent draws."""

    @property
    def _level(self) -> float:
        return float(self.challenger.run.intervals.get("level", 0.95))

    def compared(self, rows: Any, metric: Metric | None = None) -> Comparison | None:
        """Challenger minus champion on some rows, by the metric that decides or by another."""
        truth = some(self.truth, rows)
        first, second = (
            Answers(name, some(told, rows), right=self.form.right(truth, some(told, rows)))
            for name, told in (("champion", self.first), ("challenger", self.second))
        )
        run = self.challenger.run
        return compare(
            truth,
            first,
            second,
            metric or self.metric,
            split="test",
            level=self._level,
            resamples=int(run.intervals.get("resamples", 10_000)),
            seed=run.seed,
            groups=some_groups(self.groups, rows),
        )

    def by_slice(self, groupings: Sequence[Grouping]) -> tuple[OnSlice, ...]:
        """The same on each slice that has rows enough; p is corrected over all of them (Holm)."""
        found = []
        for grouping in groupings:
            metric = metric_named(_OF_A_LABEL) if grouping.by == LABEL else self.metric
            for place, value in enumerate(grouping.values):
                here = grouping.codes == place
                if here.sum() >= FEWEST_ROWS and (told := self.compared(here, metric)) is not None:
                    found.append((grouping.by, value, told, metric))
        ps = holm([told.p for _, _, told, _ in found])
        return tuple(
            OnSlice(by=by, value=value, comparison=_corrected(told, metric, p, self._level))
            for (by, value, told, metric), p in zip(found, ps, strict=True)
        )


def _corrected(told: Comparison, metric: Metric, p: float, level: float) -> Comparison:
    gain = -told.difference if metric.lower_is_better else told.difference
    return told.model_copy(update={"p_holm": p, "verdict": verdict(gain, told.low, told.high, p, level)})


def _groupings(champion: Finished, challenger: Finished, frozen: Frozen, columns: Sequence[str]) -> Iterator[Grouping]:
    """What the recipe tells rows apart by, their labels and sources, and the lengths of texts."""
    task = task_of(challenger.run)
    rows = _test_rows(open_side(challenger.folder), [other for _, other in frozen.pairs])
    for column in columns:
        if column in rows.columns and column != task.answer:
            yield by_value(column, flat(rows[column]))
    if task.says == "label":
        yield by_value(LABEL, rows[str(task.answer)])
    sources = by_value("source", rows[ROW].str.extract("^([^:]*):"))
    if len(sources.values) > 1:
        yield sources
    if task.shown:
        known = rows if frozen.later else _test_rows(open_side(champion.folder), [one for one, _ in frozen.pairs])
        edges = length_edges(rows_said(task, task.as_asked(known)))
        yield by_length(rows_said(task, task.as_asked(rows)), edges)


def _test_rows(side: Opened, ids: Sequence[str]) -> pl.DataFrame:
    wanted = pl.DataFrame({ROW: ids}, schema={ROW: pl.String})
    files = pl.concat([pl.read_parquet(file, glob=False) for file in side.files["test"]], how="vertical_relaxed")
    return wanted.join(files, on=ROW, how="left", maintain_order="left")
