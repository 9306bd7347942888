"""One run, from a recipe to a folder with everything in it: each stage is called here, in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from seedbed.core.check import View
from seedbed.core.context import Context, Progress, current
from seedbed.core.errors import BooksError, DataError, ModelError
from seedbed.core.part import labels_of
from seedbed.core.rows import ROW
from seedbed.core.run import LeakageClaim
from seedbed.core.task import Task
from seedbed.engine.cluster import connected
from seedbed.engine.curate import Curation
from seedbed.engine.learned import Learned
from seedbed.engine.leaving_out import leave_out
from seedbed.engine.plan import check_columns
from seedbed.publish.papers.answers import read_answers
from seedbed.recipe.loading import Loaded
from seedbed.recipe.recipe import Recipe
from seedbed.store.going import Journal
from seedbed.store.store import Store

from .ablating.ablation import ablate as what_steps_are_worth
from .beginning import context_of, later_parts, published, refuse_both, refuse_what_cannot_run, told_apart_by, told_by
from .checking import look, stops
from .doubting.doubt import Doubting
from .finished import Finished
from .judging.effect import Variants
from .judging.gates import pass_gates
from .judging.judge import Judged, Judging, Rows
from .judging.judgement import judge_models, with_groups
from .judging.leakage import claim_of_leakage
from .judging.preprocessing import preprocessing_of
from .judging.scrutiny import refuse_before, refuse_unknown, scrutinise, wanted
from .judging.worth import what_it_was_worth
from .known import Clock, Known
from .papers.card import CARD, keep_card, look_at_card
from .papers.leaving import look_at_papers, unpublishable, unsendable, waived_in
from .papers.place import clear_place, place_run, publish_run
from .papers.record import assemble, write_folder
from .papers.sent import sent_by
from .papers.sources import stated
from .papers.waivers import waive_gates
from .preparing.as_split import write_as_split
from .preparing.bearing import written_by
from .preparing.prepare import prepare, weighs
from .preparing.unprepared import Unprepared
from .profiling.in_run import profile_of_run
from .quick_look import limited
from .settling import settle
from .splitting.dataset import Dataset, write_dataset
from .splitting.deciding import split_rows
from .splitting.made import Made, of_models
from .tracking import track_run


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
    ablate: bool = False,
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
        ablate: Also train the cheap learner without each step, to tell what the step is worth.

    Returns:
        The run and its folder. A run that a check or a gate stopped has `state` `failed`.

    Raises:
        RecipeError: The recipe does not fit the data; nothing is left behind.
        DataError: The data cannot be read or used; nothing is left behind.
        ModelError: A cluster cannot do the work; or a model could not be trained: then the run's folder is there, with
            what came of the other learners, and its `state` is `failed`.
    """
    with told_by(loaded), Journal.kept_by_interruptions() as used:
        if limit is not None:
            loaded = limited(loaded, limit)
        refuse_both(offline, refresh)
        context = replace(context_of(loaded, workers, batch, progress, cluster), used=used)
        context = replace(context, offline=offline, refresh=refresh)
        with current(context), connected(context):
            return _run(loaded, out, context, command, limit, ablate)


def _run(loaded: Loaded, out: Path | None, context: Context, command: str, limit: int | None, ablate: bool) -> Finished:
    recipe, clock = loaded.recipe, Clock()
    refuse_what_cannot_run(recipe)
    refuse_before(recipe.evaluate, recipe.task, context)
    clear_place(out, context)
    answers = read_answers(loaded.base / CARD)
    with clock.of("curate"):
        curated = Curation(
            recipe.sources, recipe.steps, recipe.task, context, recipe.ledger.changes, also=later_parts(recipe)
        ).run()
    known = Known(curated, recipe.task, answers, limit)
    with Store.of(context).workspace("run") as folder:
        _decide(loaded, known, context, clock, folder, ablate=ablate)
        splits = known.dataset.splits if known.dataset else ()
        known.sent = sent_by(context.sent, splits, Dataset(folder / "dataset"))
        record = assemble(loaded, known, clock, context, command)
        record, lock = look_at_card(loaded.base / CARD, answers, record, known.profile, context)
        with context.stage("Writing the report and the papers"):
            with clock.of("papers"):
                write_folder(folder, loaded, known, record)
            place = place_run(folder, out, context, record)
            keep_card(loaded.base / CARD, lock, context)
    track_run(recipe.track, record, place, context)
    _refuse_failed(known.judged, place)
    if recipe.publish and record.state == "passed":
        record = publish_run(place, recipe.publish, record, context)
    return Finished(record, place)


def _refuse_failed(judged: Judged | None, place: Path) -> None:
    """Tell what the first learner that failed did, once the run is at its place.

    Raises:
        SeedbedError: A learner failed.
    """
    if judged is None or not judged.failed:
        return
    name, error = next(iter(judged.failed.items()))
    others = len(judged.failed) - 1
    more = f", and {others} more failed" if others else ""
    there = f"learner {name} failed{more}; all else of the run is in {place}, and the next goes on from there"
    raise type(error)(error.problem, at=error.at, hint=f"{error.hint}; {there}" if error.hint else there) from error


def _decide(loaded: Loaded, known: Known, context: Context, clock: Clock, folder: Path, *, ablate: bool) -> None:
    """Check, split, train, judge and gate; stops early where a check says so."""
    recipe, curated = loaded.recipe, known.curated
    waived = waived_in(recipe)
    known.task = settle(recipe.task, curated)
    refuse_unknown(recipe.evaluate, known.task)
    sources = stated(recipe, curated)
    look_at_papers(recipe, known, sources, context)
    known.stopped_by += unsendable(recipe, known)
    licences = {one.source: one.licence for one in sources}
    view = View(rows=curated.table.scan(), task=known.task, licences=licences, made=of_models(curated.opened))
    _look(recipe, known, "rows", view, context, clock)
    known.stopped_by += stops(known.findings, waived)
    if known.stopped_by:
        return
    with clock.of("split"):
        dataset = _split(recipe, known, context, folder)
    assert known.split is not None and known.dataset is not None
    with clock.of("profile"), context.stage("Profiling the dataset"):
        known.dataset, known.profile = profile_of_run(dataset, known.dataset, known.task, context)
    certificate = known.split.certificate.model_dump(mode="json")
    doubts = Doubting.of_run(recipe.train, known, context, folder)
    view = View(rows=dataset.scan_all(known.split.names), task=known.task, certificate=certificate, doubts=doubts)
    view = replace(view, profile=known.profile.whole)
    _look(recipe, known, "split", view, context, clock)
    if not known.split.certificate.passed:
        known.stopped_by.append("certificate")
    known.stopped_by += stops(known.findings, waived)
    if known.stopped_by:
        return
    # Without test rows nothing is judged; with no learner there is nothing but labels to look at.
    if "test" not in known.split.names or not (recipe.train or known.task.says == "label"):
        known.stopped_by += unpublishable(recipe, known) if recipe.publish else []
        return
    with clock.of("train"):
        judging, splits = _train(recipe, known, known.task, context, dataset)
    assert known.judged is not None
    _look(recipe, known, "model", view, context, clock)
    known.gates = waive_gates(pass_gates(recipe.gates, known.judged), recipe.waive)
    known.stopped_by += stops(known.findings, waived)
    known.stopped_by += [f"{gate.metric} gate" for gate in known.gates if not gate.passed and not gate.waived]
    known.stopped_by += [f"learner {name}: {error.problem}" for name, error in known.judged.failed.items()]
    if known.judged.failed:
        return  # the next run has the models, and goes on to what they were worth
    unprepared = known.unprepared or Unprepared((), known.curated, known.split)
    if known.unprepared or recipe.evaluate.curve:
        with clock.of("effect"):
            best, variants = known.judged.best_model, Variants(judging, unprepared, splits)
            known.effects, known.learning_curve = what_it_was_worth(variants, recipe.train, best)
    _look_closer(loaded, known, judging, splits, clock, folder)
    if ablate:
        with clock.of("ablation"):
            known.ablation = what_steps_are_worth(recipe, unprepared, judging, context)
    if recipe.publish:
        known.stopped_by += unpublishable(recipe, known)


def _look_closer(
    loaded: Loaded, known: Known, judging: Judging, splits: dict[str, Rows], clock: Clock, folder: Path
) -> None:
    """What else there is to know of models than their scores."""
    recipe = loaded.recipe
    assert known.judged is not None
    if wanted(judging):
        with clock.of("scrutiny"):
            known.scrutiny = scrutinise(judging, recipe.train, known.judged, splits, folder)
    if recipe.evaluate.leakage:
        with clock.of("leakage"):
            known.leakage = _leakage(loaded, known, judging)


def _look(
    recipe: Recipe, known: Known, when: Literal["rows", "split", "model"], view: View, context: Context, clock: Clock
) -> None:
    with clock.of("checks"):
        known.findings += look(recipe.checks, when, view, context)


def _split(recipe: Recipe, known: Known, context: Context, folder: Path) -> Dataset:
    """Split the rows, prepare them, and write the dataset."""
    curated, shown, changes = known.curated, known.task.shown, recipe.ledger.changes
    made = Made.of(curated.opened, curated.ledger)
    split = known.split = split_rows(curated.table, recipe.split, known.task, context, curated.key, made)
    if recipe.split.leaves_out:
        gone, part = split.left_out, recipe.split.use
        curated = known.curated = leave_out(curated, gone, part, shown=shown, changes=changes, context=context)
    if recipe.prepare or split.only_train is not None:
        known.unprepared = Unprepared(recipe.prepare, curated, split)
        write_as_split(curated.table, split, folder)
    if recipe.prepare:
        prepared = prepare(recipe.prepare, curated, split, known.task, context, changes)
        known.unprepared = Unprepared(recipe.prepare, curated, split, written_by(recipe.prepare, prepared.learned))
        curated, split, known.learned = prepared.curated, prepared.split, prepared.learned
        known.curated, known.split = curated, split
    dataset = Dataset(folder / "dataset")
    known.dataset = write_dataset(curated.table, split, known.task, curated.facts, dataset.folder, context)
    written = sum(known.dataset.splits.values())
    if written != curated.books.kept:
        raise BooksError(f"{curated.books.kept:,} rows were kept and {written:,} written", at="dataset")
    for at, exporter in published(recipe):  # steps of `prepare` may have brought columns
        check_columns(exporter, [column.name for column in known.dataset.columns], at)
    return dataset


def _train(
    recipe: Recipe, known: Known, task: Task, context: Context, dataset: Dataset
) -> tuple[Judging, dict[str, Rows]]:
    """Train and judge models; who judges, and the rows by split."""
    assert known.split is not None
    assert known.dataset is not None
    weighted = weighs(recipe.prepare)
    named = tuple(column for learner in recipe.train for _, column in learner.columns_used())
    judging = Judging(task, recipe.evaluate, context, weighted, recipe.name, known.dataset.digest, named)
    compared = known.split.similarity
    columns = dict.fromkeys([*told_apart_by(recipe), *([] if compared.kind == "rows" else [compared.column])])
    with context.stage("Reading the splits"):
        splits = with_groups(judging.load(dataset, known.split.names, columns), known.split)
        held_out = next(splits[name].frame[ROW].to_list() for name in ("validation", "test") if name in splits)
        learned = [(one.name, Learned(step=one.step, state=one.state)) for one in known.learned]
        before = preprocessing_of(recipe.steps, task, known.curated, held_out, context, learned)
    folder, unprepared = dataset.folder.parent, known.unprepared
    known.judged = judge_models(judging, recipe.train, splits, before, known.split, folder, unprepared)
    return judging, splits


def _leakage(loaded: Loaded, known: Known, judging: Judging) -> LeakageClaim | None:
    """What leakage would have claimed for the best model."""
    assert known.split is not None and known.judged is not None
    best = known.judged.best_model
    if best is None or "test" not in best.scores:
        return None
    learner = dict(zip(labels_of(list(loaded.recipe.train)), loaded.recipe.train, strict=True))[best.name]
    before, certificate = known.unprepared, known.split.certificate
    shares = certificate.asked or certificate.got  # where nobody asked for any, as many rows as there are
    table = known.curated.with_copies or (before.curated.table if before else known.curated.table)
    preparation = None
    if before and before.steps:
        preparation = before.preparation(judging.context.seed, known.task)
    try:
        return claim_of_leakage(judging, learner, best, table, shares, known.split.similarity, preparation)
    except (DataError, ModelError) as error:  # the honest result stands without it
        judging.context.progress.say(f"what leakage would have claimed cannot be told: {error.problem}")
        return None
