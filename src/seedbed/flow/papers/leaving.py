"""What stands against publishing a run's dataset, and against asking services elsewhere about its rows."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core.context import Context
from seedbed.core.licences import Stated, mixed
from seedbed.flow.known import Known
from seedbed.publish.papers.answers import blanks
from seedbed.recipe.recipe import Recipe

from .sent import elsewhere
from .sources import findings_of, source_records
from .waivers import LICENCE

#: The card's questions whose answers say whether rows may leave at all: may they be handed on, whom could that hurt.
_OF_ROWS = ("license", "sensitive")


def look_at_papers(recipe: Recipe, known: Known, sources: Sequence[Stated], context: Context) -> None:
    """What nobody said of the sources, and the card's questions that nobody answered; neither stops a plain run."""
    records, waived = source_records(known.curated), waived_in(recipe)
    known.licences = mixed(sources, known.answers.license)
    known.findings += findings_of(records, known.licences)
    asked = blanks(known.answers, records, recipe.task)
    known.blanks = tuple(question for question in asked if question.partition(":")[0] not in waived)
    if recipe.publish and known.blanks:
        context.progress.say("nothing will be published: questions of card.yaml are not answered yet")
    if recipe.publish and known.licences.problems and LICENCE not in waived:
        context.progress.say(f"nothing will be published: {known.licences.problems[0]}")


def waived_in(recipe: Recipe) -> list[str]:
    """What its `waive` names."""
    return [waiver.what for waiver in recipe.waive]


def unpublishable(recipe: Recipe, known: Known) -> list[str]:
    """What stands against publishing alone: licences, and blanks of the card."""
    return [*_unfit(recipe, known), *(f"card: {blank}" for blank in known.blanks)]


def unsendable(recipe: Recipe, known: Known) -> list[str]:
    """What stands against asking a service on another machine about rows, where a recipe does so.

    A reason (`may_send`) is somebody's consent. It does not make a licence fit, nor say what the rows hold.
    """
    if next(elsewhere(recipe), None) is None:
        return []
    open_ = [blank for blank in known.blanks if blank.partition(":")[0] in _OF_ROWS]
    return [*_unfit(recipe, known), *(f"card: {blank}" for blank in open_)]


def _unfit(recipe: Recipe, known: Known) -> list[str]:
    problems = known.licences.problems if known.licences and LICENCE not in waived_in(recipe) else ()
    return [f"licences: {one}" for one in problems]
