"""One run, from a recipe to a folder with everything in it: each stage is called here, in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from seedbed.core.check import View
from seedbed.core.context import Context, Progress, current, store_of
from seedbed.core.errors import BooksError, DataError, ModelError, RecipeError
from seedbed.core.licences import Stated, mixed
from seedbed.core.part import Part, labels_of
from seedbed.core.rows import ROW
from seedbed.core.run import LeakageClaim
from seedbed.core.splitter import InTurn
from seedbed.core.task import Task
from seedbed.engine.cluster import connected
from seedbed.engine.curate import Curated, Curation
from seedbed.engine.leaving_out import leave_out
from seedbed.engine.passes import why_rejected
from seedbed.publish.answers import blanks, read_answers
from seedbed.recipe.loading import Loaded
from seedbed.recipe.recipe import Recipe
from seedbed.store.going import Journal
from seedbed.store.store import Store

from .checking import look, stops
from .finished import Finished
from .judging.gates import pass_gates
from .judging.judge import Judging
from .judging.judgement import judge_models
from .judging.leakage import claim_of_leakage
from .judging.preprocessing import preprocessing_of
from .judging.slices import Slices
from .known import Clock, Known
from .papers.notices import MOST_LABELS
from .papers.place import clear_place, place_run, publish_run
from .papers.record import assemble, write_folder
from .papers.sources import findings_of, source_records, stated
from .papers.waivers import LICENCE, waive_gates
from .quick_look import limited
from .splitting.dataset import Dataset, write_dataset
from .splitting.made import Made
from .splitting.split import split_rows


def run(  # noqa: PLR0913 (each option is an argument)
    loaded: Loaded,
    *,
    out: Path | None = None,
    workers: int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    command: str = "",
    cluster: str | None = None,
    limit: int | None = None,
    offline: bool = False,
    refresh: bool = False,
) -> Finished:
    """Run a recipe to its end.

    Args:
        loaded: The recipe, as `seedbed.recipe.loading.load` reads it.
        out: Folder for the run; `runs/NAME/ID` beside the recipe when left out.
        workers: Worker processes; the number of cores, at most 8, when left out.
        batch: Most rows that a step sees at once.
        progress: Where progress is shown.
        command: What was typed, for the report.
        cluster: Address of the Ray cluster that does the work (HOST:PORT, or `auto` on one of its nodes); where it is
            empty, the one that is connected, the environment's `RAY_ADDRESS`, or one that is started on this machine
            for the run. Processes of this machine do the work when left out.
        limit: Read at most so many records of each source: a quick look, which is not published and not `latest`.
        offline: Fetch nothing: read what earlier runs kept, and fail where they kept nothing.
        refresh: Fetch again what earlier runs kept.

    Returns:
        The run and its folder. A run that a check or a gate stopped has `state` `failed`.

    Raises:
        RecipeError: The recipe does not fit the data; nothing is left behind.
        DataError: The data cannot be read or used; nothing is left behind.
        ModelError: A model could not be trained, or a cluster cannot do the work.
    """
    with told_by(loaded), Journal.kept_by_interruptions() as used:
        if limit is not None:
            loaded = limited(loaded, limit)
        refuse_both(offline, refresh)
        context = replace(_by(cluster, context_of(loaded, workers, batch, progress)), used=used)
        context = replace(context, offline=offline, refresh=refresh)
        with current(context), connected(context):
            return _run(loaded, out, context, command, limit)


def refuse_both(offline: bool, refresh: bool) -> None:
    """Nothing can be fetched again by a run that fetches nothing.

    Raises:
        RecipeError: Both are asked for.
    """
    if offline and refresh:
        raise RecipeError("nothing can be fetched again offline", hint="say --offline or --refresh")


@contextmanager
def told_by(loaded: Loaded) -> Iterator[None]:
    """Errors of the body, as a person reads them who knows the recipe's file."""
    try:
        yield
    except RecipeError as error:
        raise RecipeError(error.problem, at=loaded.place(error.at) if error.at else "", hint=error.hint) from None
    except (OSError, pl.exceptions.ComputeError) as error:
        if not isinstance(error, OSError) and "os error" not in str(error):
            raise
        said = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise DataError(
            f"a file cannot be read or written ({said})",
            at=str(getattr(error, "filename", None) or ""),
            hint="is the disk full, or may this folder not be written to? The same command goes on where this stopped",
        ) from error


def context_of(loaded: Loaded, workers: int | None, batch: int | None, progress: Progress | None) -> Context:
    """What the stages of a run may know."""
    given = Context()
    return Context(
        base=loaded.base,
        store=store_of(loaded.base),
        seed=loaded.recipe.split.seed,
        workers=workers or min(8, os.cpu_count() or 1),
        batch=batch or given.batch,
        progress=progress or given.progress,
    )


def _by(cluster: str | None, context: Context) -> Context:
    return context if cluster is None else replace(context, engine="ray", address=cluster)


def _run(loaded: Loaded, out: Path | None, context: Context, command: str, limit: int | None) -> Finished:
    recipe, clock = loaded.recipe, Clock()
    refuse_what_cannot_run(recipe)
    clear_place(out, context)
    answers = read_answers(loaded.base / "card.yaml")
    with clock.of("curate"):
        curated = Curation(
            recipe.sources, recipe.steps, recipe.task, context, recipe.ledger.changes, also=later_parts(recipe)
        ).run()
    known = Known(curated, recipe.task, answers, limit)
    with Store.of(context).workspace("run") as folder:
        _decide(loaded, known, context, clock, folder)
        record = assemble(loaded, known, clock, context, command)
        with context.stage("Writing the report and the papers"):
            with clock.of("papers"):
                write_folder(folder, loaded, known, record)
            place = place_run(folder, out, context, record)
    if recipe.publish and record.state == "passed":
        record = publish_run(place, recipe.publish, record, context)
    return Finished(record, place)


def _decide(loaded: Loaded, known: Known, context: Context, clock: Clock, folder: Path) -> None:
    """Check, split, train, judge and gate; stops early where a check says so."""
    recipe, curated = loaded.recipe, known.curated
    waived = [waiver.what for waiver in recipe.waive]
    known.task = settle(recipe.task, curated)
    sources = stated(recipe, curated)
    _look_at_papers(recipe, known, sources, context)
    licences = {one.source: one.licence for one in sources}
    view = View(rows=curated.table.scan(), task=known.task, licences=licences)
    known.findings += look(recipe.checks, "rows", view, context)
    known.stopped_by += stops(known.findings, waived)
    if known.stopped_by:
        return
    with clock.of("split"):
        made = Made.of(curated.opened, curated.ledger)
        known.split = split_rows(curated.table, recipe.split, known.task, context, curated.key, made)
        if isinstance(recipe.split, InTurn):
            curated = known.curated = leave_out(
                curated,
                known.split.left_out,
                recipe.split.use,
                shown=known.task.text,
                changes=recipe.ledger.changes,
                context=context,
            )
        dataset = Dataset(folder / "dataset")
        known.dataset = write_dataset(curated.table, known.split, known.task, curated.facts, dataset.folder, context)
    written = sum(known.dataset.splits.values())
    if written != curated.books.kept:
        raise BooksError(f"{curated.books.kept:,} rows were kept and {written:,} written", at="dataset")
    certificate = known.split.certificate.model_dump(mode="json")
    view = View(rows=dataset.scan_all(known.split.names), task=known.task, certificate=certificate)
    known.findings += look(recipe.checks, "split", view, context)
    if not known.split.certificate.passed:
        known.stopped_by.append("certificate")
    known.stopped_by += stops(known.findings, waived)
    if known.stopped_by:
        return
    with clock.of("train"):
        judging = Judging(known.task, recipe.evaluate, context)
        columns = dict.fromkeys([*recipe.evaluate.slices, known.split.similarity.column])
        with context.stage("Reading the splits"):
            splits = judging.load(dataset, known.split.names, columns)
            held_out = next(splits[name].frame[ROW].to_list() for name in ("validation", "test") if name in splits)
            before = preprocessing_of(recipe.steps, known.task, curated, held_out, context)
        known.judged = judge_models(judging, recipe.train, splits, before, known.split, folder)
    known.findings += look(recipe.checks, "model", view, context)
    known.gates = waive_gates(pass_gates(recipe.gates, known.judged), recipe.waive)
    known.stopped_by += stops(known.findings, waived)
    known.stopped_by += [f"{gate.metric} gate" for gate in known.gates if not gate.passed and not gate.waived]
    if recipe.evaluate.leakage:
        with clock.of("leakage"):
            known.leakage = _leakage(loaded, known, judging)
    if recipe.publish:
        known.stopped_by += _unpublishable(known, waived)


def _look_at_papers(recipe: Recipe, known: Known, sources: list[Stated], context: Context) -> None:
    """What nobody said of the sources, and the card's questions that nobody answered; neither stops a plain run."""
    records, waived = source_records(known.curated), [waiver.what for waiver in recipe.waive]
    known.licences = mixed(sources, known.answers.license)
    known.findings += findings_of(records, known.licences)
    asked = blanks(known.answers, records)
    known.blanks = tuple(question for question in asked if question.partition(":")[0] not in waived)
    if recipe.publish and known.blanks:
        context.progress.say("nothing will be published: questions of card.yaml are not answered yet")
    if recipe.publish and known.licences.problems and LICENCE not in waived:
        context.progress.say(f"nothing will be published: {known.licences.problems[0]}")


def _unpublishable(known: Known, waived: list[str]) -> list[str]:
    """What stands against publishing alone: licences, and blanks of the card."""
    problems = known.licences.problems if known.licences and LICENCE not in waived else ()
    return [*(f"licences: {one}" for one in problems), *(f"card: {blank}" for blank in known.blanks)]


def refuse_what_cannot_run(recipe: Recipe) -> None:
    """Say now what would only be found out after hours.

    Raises:
        RecipeError: The recipe asks for something that this version does not do.
        MissingExtraError: A part needs packages that are not installed.
    """
    if recipe.prepare:
        raise RecipeError("this version runs no steps after the split", at="prepare", hint="leave `prepare` out")
    for part in (*recipe.sources, *recipe.steps, *recipe.checks, recipe.split, *recipe.train, *recipe.publish):
        part.check_needs()
    for learner in recipe.train:
        learner.made_from()  # opens what it starts from: an encoder in a package that may not be there


def later_parts(recipe: Recipe) -> tuple[tuple[str, Part], ...]:
    """Parts that name columns and run after the steps, with their places in the recipe."""
    sliced = recipe.evaluate.slices
    return (
        ("split", recipe.split),
        *((f"checks.{place}", check) for place, check in enumerate(recipe.checks)),
        *([("evaluate", Slices(use="evaluate", slices=list(sliced)))] if sliced else []),
    )


def settle(task: Task, curated: Curated) -> Task:
    """The task with its labels; read off the data, sorted, where the recipe does not name them.

    Raises:
        DataError: The rows carry fewer than two labels, or too many.
    """
    found = curated.table.scan().select(pl.col(task.label).cast(pl.String).unique()).collect(engine="streaming")
    labels = tuple(sorted(found.to_series().drop_nulls().to_list()))
    if len(labels) < 2:
        raise DataError(
            f"all {curated.books.kept:,} rows that are left carry the label {labels[0][:80]!r}; a classifier needs two",
            at=f"column {task.label!r}",
            hint=why_rejected(curated.books) or "look at the label column of the source",
        )
    if len(labels) > MOST_LABELS:
        raise DataError(
            f"there are {len(labels):,} different labels, and a classifier gets at most {MOST_LABELS:,}",
            at=f"column {task.label!r}",
            hint="is it an id or a text? `map_values` or `keep_values` make fewer of them",
        )
    return task if task.labels else task.model_copy(update={"labels": labels})


def _leakage(loaded: Loaded, known: Known, judging: Judging) -> LeakageClaim | None:
    """What leakage would have claimed for the best model."""
    assert known.split is not None and known.judged is not None
    best = known.judged.best_model
    if best is None or "test" not in best.scores:
        return None
    learner = dict(zip(labels_of(list(loaded.recipe.train)), loaded.recipe.train, strict=True))[best.name]
    table = known.curated.with_copies or known.curated.table
    try:
        return claim_of_leakage(judging, learner, best, table, loaded.recipe.split, known.split.similarity)
    except (DataError, ModelError) as error:  # the honest result stands without it
        judging.context.progress.say(f"what leakage would have claimed cannot be told: {error.problem}")
        return None
