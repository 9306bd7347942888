"""Runs side by side: scores of all models, and paired differences where the same rows judge both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from string import ascii_lowercase

import polars as pl

from seedbed.core.compared import Compared, ComparedModel, ComparedPair, ComparedPreference, ComparedRun
from seedbed.core.context import Context, Progress, utc_now
from seedbed.core.errors import RecipeError, SeedbedError, did_you_mean
from seedbed.core.held_out import note
from seedbed.core.metric import Metric, metric_named
from seedbed.core.numbers import word
from seedbed.core.rows import ROW
from seedbed.core.run import Comparison, Run
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.holm import with_holm
from seedbed.flow.finished import Finished, open_run

from .beside import drawn_by_both
from .models import FEWEST, OfRun, compared, of_both, pairs, same_judges, task_of
from .sides import Opened
from .tables import why_not_by_row


def compare(*named: str | Path | Finished, metric: str | None = None, progress: Progress | None = None) -> Compared:
    """Compare the models of two or more runs.

    Rows are the same where their id is, both runs read the same bytes, and both say the same of them. Only rows that
    are test rows of both runs judge, for no model of either has seen them. Each run notes that its test rows were read.

    Args:
        named: Runs, the oldest first, however each is named.
        metric: What to compare by; the metric that decides, where it is the same in all, when left out.
        progress: Where progress is shown.

    Raises:
        DataError: One of them is not there or cannot be read.
        RecipeError: Fewer than two runs, one of them twice, or a metric that does not measure their task.
    """
    context = Context(progress=progress) if progress else Context()
    finished = [one if isinstance(one, Finished) else open_run(one) for one in named]
    _refuse(finished, metric)
    runs = dict(zip(ascii_lowercase, finished, strict=False))
    found: list[Comparison] = []
    told: list[ComparedPair] = []
    every = list(combinations(runs, 2))
    with context.stage("Comparing", len(every), "pairs of runs") as stage:
        for a, b in every:
            pair, more = _pair(a, b, runs, metric)
            told.append(pair)
            found += more
            stage.advance(1, f"{a} and {b}")
    decides = metric or finished[0].run.metric
    level = float(finished[-1].run.intervals.get("level", 0.95))
    metrics = [metric_named(name) for name in dict.fromkeys(one.metric for one in found)]
    return Compared(
        runs=tuple(_run(letter, str(name), runs[letter]) for letter, name in zip(runs, named, strict=True)),
        models=tuple(one for letter, run in runs.items() for one in _models(letter, run)),
        metric=decides,
        pairs=tuple(told),
        comparisons=with_holm(found, metrics, level) if found else (),
        preferred=tuple(one for letter, run in runs.items() for one in _preferred(letter, run.run)),
        side_by_side=drawn_by_both(_of_the_same_rows(runs)),
    )


def _of_the_same_rows(runs: dict[str, Finished]) -> dict[str, Run]:
    """The first run, and those whose row ids mean the same rows."""
    first = _opened(next(iter(runs.values())))
    others = list(runs)[1:]
    same = [letter for letter in others if not why_not_by_row(first, _opened(runs[letter]))]
    return {letter: runs[letter].run for letter in [next(iter(runs)), *same]}


def _refuse(finished: list[Finished], metric: str | None) -> None:
    if len(finished) < 2:
        raise RecipeError("one run has nothing to be compared with", hint="name two or more")
    if len(finished) > len(ascii_lowercase):
        raise RecipeError(f"{len(finished)} runs are too many to be compared", hint=f"at most {len(ascii_lowercase)}")
    seen: dict[str, Finished] = {}
    for one in finished:
        if one.run.id in seen:
            raise RecipeError(f"run {one.run.id} is named twice", at=str(one.folder), hint="name each run once")
        seen[one.run.id] = one
    if metric is None:
        return
    if metric not in Metric.catalogue:
        raise RecipeError("there is no such metric", at=metric[:80], hint=did_you_mean(metric, Metric.catalogue))
    for one in finished:
        says = task_of(one.run).says
        if says not in metric_named(metric).says:
            fit = [name for name in Metric.catalogue if says in metric_named(name).says]
            kind = one.run.task.get("kind")
            raise RecipeError(f"does not measure {kind}", at=metric, hint=did_you_mean(metric, fit))


def _run(letter: str, named: str, finished: Finished) -> ComparedRun:
    run = finished.run
    return ComparedRun(
        letter=letter,
        named=named,
        folder=str(finished.folder),
        id=run.id,
        name=run.name,
        started=run.started,
        state=run.state,
        task=str(run.task.get("kind", "")),
        metric=run.metric,
        dataset=run.dataset.digest,
        level=float(run.intervals.get("level", 0.95)),
    )


def _models(letter: str, finished: Finished) -> list[ComparedModel]:
    run = finished.run
    return [
        ComparedModel(
            run=letter,
            model=one.name,
            use=one.use,
            best=one.name == run.best,
            split=run.judging_split,
            scores=one.scores.get(run.judging_split, {}),
            seconds=one.seconds,
            bytes=one.bytes,
        )
        for one in run.models
    ]


def _preferred(letter: str, run: Run) -> Iterator[ComparedPreference]:
    """What people prefer in a run, then what a model that judges does."""
    found = run.scrutiny
    people, judge = (found.preferences, found.judged_by) if found else (None, None)
    for by, told, who in (("people", people, ""), ("judge", judge, judge.judge if judge else "")):
        for one in told.pairs if told else ():
            facts = one.model_dump(include=set(ComparedPreference.model_fields))
            facts |= {"run": letter, "by": by, "who": who, "goes_by_place": bool(told and told.goes_by_place)}
            yield ComparedPreference.model_validate(facts)


def _unlike(a: str, b: str, one: Run, other: Run) -> str | None:
    """That models of one run may have learned from rows of a group that is tested, and those of the other not."""
    of_a, of_b = (
        run.certificate.group["column"] if run.certificate and run.certificate.group else None for run in (one, other)
    )
    if of_a == of_b:
        return None
    column, keeps, not_so = (of_a, a, b) if of_a else (of_b, b, a)
    return (
        f"only {keeps} keeps rows of one {column} together: models of {not_so} may know those of the test rows from "
        f"training, which flatters them"
    )


def _pair(a: str, b: str, runs: dict[str, Finished], metric: str | None) -> tuple[ComparedPair, list[Comparison]]:
    one, other = runs[a], runs[b]
    sizes = {"of_a": one.run.dataset.splits.get("test", 0), "of_b": other.run.dataset.splits.get("test", 0)}
    told = ComparedPair(a=a, b=b, unlike=_unlike(a, b, one.run, other.run), **sizes)
    why = same_judges(one.run, other.run, metric) or why_not_by_row(_opened(one), _opened(other))
    wanted = pairs(one.run, other.run)
    if not why and not wanted:
        why = "no model of the one has the name of a model of the other"
    if why:
        return told.model_copy(update={"why_not": why}), []
    models = [(OfRun(a, one.folder, one.run, of_a), OfRun(b, other.folder, other.run, of_b)) for of_a, of_b in wanted]
    try:
        rows = _common(*models[0])
        told = told.model_copy(update={"rows": len(rows)})
        if len(rows) < FEWEST:
            few = f"only {len(rows)} test {word(len(rows), 'row is', 'rows are')} the same in both"
            return told.model_copy(update={"why_not": f"{few}; at least {FEWEST} are needed"}), []
        form = form_of(task_of(one.run))
        found = [compared(*pair, rows, form, metric or one.run.metric) for pair in models]
    except (OSError, pl.exceptions.PolarsError, SeedbedError):
        return told.model_copy(update={"why_not": "the predictions of one of the two cannot be read"}), []
    for pair in models:
        for model in pair:
            note(model.folder, [model.read(len(rows), utc_now())])
    known = [one for one in found if one is not None]
    if not known:
        return told.model_copy(update={"why_not": "the metric has no value on the rows of both"}), []
    return told, known


def _opened(finished: Finished) -> Opened:
    return Opened(str(finished.folder), finished.folder, finished.run, {})


def _common(a: OfRun, b: OfRun) -> list[tuple[str, str]]:
    """Test rows of both runs of which both say the same, by id."""
    said = [pl.read_parquet(one.folder / "predictions" / f"{one.name}-test.parquet", glob=False) for one in (a, b)]
    shared = said[0].select(ROW).join(said[1].select(ROW), on=ROW, how="inner", maintain_order="left")[ROW].to_list()
    return of_both(a, b, [(row, row) for row in shared])
