"""`publish`: a run that is over goes to where its recipe, or a person, says; not while something stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.core.exporter import Exporter
from seedbed.core.licences import Stated, mixed
from seedbed.core.part import labels_of
from seedbed.core.run import Run
from seedbed.core.step import Map
from seedbed.flow.finished import Finished, open_run
from seedbed.flow.naming import store_near
from seedbed.flow.papers.answering import open_card, profile_in
from seedbed.flow.papers.place import publish_run
from seedbed.flow.papers.sources import licences_record
from seedbed.publish.papers.answers import Answers, blanks, read_answers
from seedbed.publish.papers.writing import papers_of_run
from seedbed.publish.shaping.shaped import task_of
from seedbed.recipe import load
from seedbed.recipe.recipe import Recipe
from seedbed.store.places import write_whole

from .export import Asked, exporter_for, roles_of
from .standing import obstacles, reasons_in, waived


@dataclass(frozen=True)
class Published:
    """What came of it."""

    named: str
    run: str
    places: tuple[str, ...]
    waived: dict[str, str]
    """What a person let pass now, and why."""


def publish(named: str, asked: Asked | None, waivers: Sequence[str] = (), context: Context | None = None) -> Published:
    """Publish a run: its papers are written anew from the card as it is now, and it goes to each place.

    Args:
        named: A run by its folder, the start of its id, a tag, or NAME@latest.
        asked: Where to; where its recipe says, when left out.
        waivers: What a person lets pass, as WHAT=REASON.
        context: Where relative paths of `asked` start, and where progress is shown.

    Raises:
        Refused: A check, a gate, a licence or a blank of the card stands against it; nothing was written.
        RecipeError: The recipe publishes nowhere, or there is no such exporter or option.
        DataError: There is no such run, or it made no dataset.
        ModelError: A service did not take it.
    """
    context = context or Context(store=store_near())
    finished = open_run(named)
    if not finished.run.dataset.splits:
        raise DataError("this run made no dataset: it was stopped before", at=named, hint="publish another")
    card = open_card(finished.folder).path
    recipe = _recipe(finished, asked)
    exporters, context = _exporters(finished, asked, recipe, context, card.parent)
    answers = read_answers(card)
    run = _as_it_is_now(finished, recipe, answers)
    found = obstacles(run, run.licences.problems if run.licences else (), run.blanks)
    reasons = reasons_in(waivers, found)
    run = waived(run, found, reasons, named)
    _write_papers(finished, run, answers)
    run = publish_run(finished.folder, exporters, run, context)
    return Published(named, run.id, tuple(exporter.place for exporter in exporters), reasons)


def _recipe(finished: Finished, asked: Asked | None) -> Recipe | None:
    """The run's recipe; none where it cannot be read any more and is not needed.

    Raises:
        SeedbedError: It is needed, and has faults.
    """
    try:
        return load(finished.folder / "recipe.yaml").recipe
    except SeedbedError:
        if asked is None:
            raise
        return None


def _exporters(
    finished: Finished, asked: Asked | None, recipe: Recipe | None, context: Context, beside: Path
) -> tuple[tuple[Exporter, ...], Context]:
    """The exporters, and the context with the folder that their paths start from."""
    if asked is not None:
        given = {"path": asked.out} if asked.out else {}
        split = {"splits": list(asked.splits)} if asked.splits else {}
        return (exporter_for(asked, **given, **split).for_task(roles_of(finished.run)),), context
    assert recipe is not None
    if not recipe.publish:
        hint = "add a section `publish`, or say --to FORMAT --out PLACE"
        raise RecipeError("its recipe publishes nowhere", at=str(finished.folder / "recipe.yaml"), hint=hint)
    for exporter in recipe.publish:
        exporter.check_needs()
    return recipe.publish, replace(context, base=beside)


def _as_it_is_now(finished: Finished, recipe: Recipe | None, answers: Answers) -> Run:
    """The record with what the card says now: which questions are blank, and whether its licence may be."""
    run, task = finished.run, task_of(finished.folder)
    steps = dict(zip(labels_of(list(recipe.steps)), recipe.steps, strict=True)) if recipe else {}
    # What a step only compares rows with is not in the dataset.
    in_it = [one for one in run.sources if one.name not in steps or isinstance(steps[one.name], Map)]
    licences = licences_record(mixed([Stated(one.name, one.license) for one in in_it], answers.license))
    left = tuple(
        blank
        for blank in blanks(answers, run.sources, task)
        if not run.reason_to_waive(f"question {blank.partition(':')[0]}")
    )
    return run.model_copy(update={"licences": licences, "blanks": left})


def _write_papers(finished: Finished, run: Run, answers: Answers) -> None:
    """Papers that say what was waived; each is replaced, for the store may hold the old one by a link."""
    dataset = finished.folder / "dataset"
    texts = papers_of_run(dataset, run, answers, profile_in(finished.folder))
    for name, text in texts.items():
        write_whole(dataset / name, text.encode())
